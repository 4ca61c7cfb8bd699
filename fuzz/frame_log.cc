// A frame log (ipc/frame_log.h), as the next incarnation reads what the last one has left.
#include "ipc/frame_log.h"

#include <xxhash.h>

#include "fuzz/harness.h"
#include "fuzz/regions.h"

namespace arenad::fuzz {
namespace {

constexpr uint64_t kCapacity = 4096;

// Half of the inputs have their checksums made right, or nothing would come through.
std::string with_checksums(std::string_view records) {
  std::string bytes(records);
  for (size_t at = 0; at + sizeof(FrameRecord) <= bytes.size();) {
    FrameRecord record;
    std::memcpy(&record, bytes.data() + at, sizeof record);
    if (record.bytes < sizeof record || record.bytes > bytes.size() - at) break;
    constexpr size_t kHead = offsetof(FrameRecord, checksum);
    record.checksum = XXH3_64bits_withSeed(bytes.data() + at + sizeof record, record.bytes - sizeof record,
                                           XXH3_64bits(bytes.data() + at, kHead));
    std::memcpy(bytes.data() + at, &record, sizeof record);
    at += record.bytes;
  }
  return bytes;
}

void check(const DecidedFrame& frame) {
  const auto* begin = reinterpret_cast<const char*>(frame.words().data());
  const char* end = begin + frame.words().size_bytes();
  DecidedFrame copy(frame.record().frame, frame.record().time_unix_ns, frame.record().seed);
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    ARENAD_ASSERT(text.data() >= begin && text.data() + text.size() <= end);
    ARENAD_ASSERT(copy.add(entry.kind, entry.slot, entry.value, text));
  });
  copy.close();
  ARENAD_ASSERT(DecidedFrame::parse(copy.words()) && copy.words().size() == frame.words().size());
}

void run(std::string_view input) {
  static WrittenRing ring(kCapacity);
  Source source(input);
  const std::atomic<uint64_t> begin{source.number<uint64_t>()};
  const std::atomic<uint64_t> published{begin + source.number<uint16_t>()};
  const bool are_right = source.number<uint8_t>() % 2 == 1;
  ring.put(begin, are_right ? with_checksums(source.rest()) : source.rest());
  const FrameLogView log{ring.data(), kCapacity, begin, published};
  FrameLogReader reader;
  reader.rewind(log);
  uint64_t read_bytes = 0;
  for (;;) {
    switch (reader.next(log)) {
      case FrameLogReader::Step::frame:
        read_bytes += reader.frame().record().bytes;
        ARENAD_ASSERT(read_bytes <= published - begin);
        check(reader.frame());
        continue;
      case FrameLogReader::Step::corrupt:
        if (reader.skip(log)) continue;
        return;
      case FrameLogReader::Step::end:
      case FrameLogReader::Step::lagged:
        return;
    }
  }
}

std::vector<std::string> seeds() {
  std::string records;
  for (const uint64_t number : {1, 2}) {
    DecidedFrame frame(number, 1000 * number, 7);
    frame.add(FrameEntryKind::join, 0, 1, "anna");
    frame.add(FrameEntryKind::take, 0, 80);
    frame.add(FrameEntryKind::skip, 0, 2, std::string(8, '\1'));
    frame.add(FrameEntryKind::skip, 0, 3, std::string(16, '\1'));
    frame.add(FrameEntryKind::retry, 1, 3, std::string(40, '\2'));
    frame.add(FrameEntryKind::signal, 0, 4, "zone\n30 s");
    frame.close();
    records.append(reinterpret_cast<const char*>(frame.words().data()), frame.words().size_bytes());
  }
  std::vector<std::string> seeds;
  for (const uint64_t begin : {uint64_t{0}, kCapacity - 96, UINT64_MAX - 79}) {
    seeds.push_back(
        Input().number(begin).number(static_cast<uint16_t>(records.size())).number(uint8_t{1}).bytes(records).text());
  }
  return seeds;
}

}  // namespace

extern const Harness frame_log_harness;
const Harness frame_log_harness{run, seeds, {}, 768};

}  // namespace arenad::fuzz
