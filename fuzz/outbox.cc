// A stream of outputs or results (ipc/outbox.h), which a worker writes and everybody else reads.
#include "ipc/outbox.h"

#include "fuzz/harness.h"
#include "fuzz/regions.h"

namespace arenad::fuzz {
namespace {

constexpr uint64_t kCapacity = 4096;
constexpr uint64_t kMaxRecordBytes = 1024;

void run(std::string_view input) {
  static WrittenRing ring(kCapacity);
  Source source(input);
  const std::atomic<uint64_t> begin{source.number<uint64_t>()};
  const std::atomic<uint64_t> published{begin + source.number<uint16_t>()};
  const std::atomic<uint64_t> reserved{published + source.number<uint64_t>()};
  const auto position = begin + source.number<uint8_t>();
  ring.put(begin, source.rest());
  const StreamView stream{ring.data(), kCapacity, published, begin, reserved};
  OutboxReader reader(kMaxRecordBytes);
  reader.skip_to(position);
  uint64_t at = position;
  while (reader.next(stream) == OutboxReader::Step::record) {
    ARENAD_ASSERT(reader.header().bytes <= kMaxRecordBytes && reader.position() == at + reader.header().bytes);
    ARENAD_ASSERT(reader.position() - begin <= published - begin && reader.word_count() >= 1);
    const volatile auto* words = static_cast<const uint64_t*>(reader.words());
    (void)words[reader.word_count() - 1];
    at = reader.position();
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const uint64_t begin : {uint64_t{0}, kCapacity - 64, UINT64_MAX - 39}) {
    Input records;
    records.number(RecordHeader{40, 0, 1, 0x1234, 1}).number(uint64_t{5});
    records.number(RecordHeader{48, 0, 2, 0x1234, 1}).number(uint64_t{5}).number(uint64_t{6});
    seeds.push_back(Input()
                        .number(begin)
                        .number(static_cast<uint16_t>(records.text().size()))
                        .number(uint64_t{0})
                        .number(uint8_t{0})
                        .bytes(records.text())
                        .text());
  }
  return seeds;
}

}  // namespace

extern const Harness outbox_harness;
const Harness outbox_harness{run, seeds, {}, 512};

}  // namespace arenad::fuzz
