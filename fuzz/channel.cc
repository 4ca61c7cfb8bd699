// A client's channel (ipc/channel.h): its header, and its records as a worker walks them.
#include "ipc/channel.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

constexpr uint64_t kRingBytes = limits::kMinChannelBytes;
constexpr uint64_t kMaxEventBytes = 2048;

struct Ends {
  Ends()
      : writer([] {
          auto made = ChannelWriter::create(kRingBytes);
          ARENAD_ASSERT(made);
          return std::move(made.value());
        }()),
        view([this] {
          auto fd = writer.fd().duplicate();
          auto mapped = ChannelView::map(std::move(fd.value()));
          ARENAD_ASSERT(mapped);
          return std::move(mapped.value());
        }()) {}
  ChannelWriter writer;
  ChannelView view;
};

void walk(const ChannelView& view, uint64_t from, uint64_t next_sequence) {
  const auto end = view.published(from);
  if (!end) return;
  ARENAD_ASSERT(*end >= from && *end - from <= kRingBytes);
  ChannelCursor cursor(from, next_sequence);
  RecordHeader header;
  std::vector<uint64_t> copy;
  while (cursor.peek(view, *end, kMaxEventBytes, header) == ChannelCursor::Step::record) {
    ARENAD_ASSERT(header.sequence == cursor.next_sequence() && header.bytes <= kMaxEventBytes);
    copy.resize(record_words(header.bytes));
    copy_from_shared(copy.data(), view.words_at(cursor.position()), copy.size() * 8);
    cursor.advance(header);
    ARENAD_ASSERT(cursor.position() <= *end);
  }
}

void run(std::string_view input) {
  static Ends ends;
  static const std::string zeros(kRingBytes, '\0');
  Source source(input);
  const uint64_t from = source.number<uint64_t>() & ~uint64_t{7};  // where the last record ended
  const auto next_sequence = source.number<uint16_t>();
  const std::string_view header = source.bytes(sizeof(ChannelHeader));
  ends.writer.refill(0, zeros);
  ends.writer.refill(from, source.rest().substr(0, kRingBytes));
  ChannelHeader& written = ends.writer.header();
  // Beyond the atomic words of it nothing is special: it is memory that somebody else writes.
  const ChannelHeader* before = &written;
  std::string kept(reinterpret_cast<const char*>(before), sizeof *before);
  if (!header.empty()) std::memcpy(static_cast<void*>(&written), header.data(), header.size());
  (void)ends.view.check_header();
  walk(ends.view, from, next_sequence);
  std::memcpy(static_cast<void*>(&written), kept.data(), kept.size());
}

std::vector<std::string> seeds() {
  ChannelHeader header{};
  header.magic = kChannelMagic;
  header.layout_version = kChannelLayoutVersion;
  header.ring_offset = kChannelRingOffset;
  header.ring_capacity = kRingBytes;
  std::vector<std::string> seeds;
  for (const uint64_t from : {uint64_t{0}, kRingBytes - 48, UINT64_MAX - 7}) {
    Input records;
    records.number(RecordHeader{40, 0, 1, 0x1234, 1}).number(uint64_t{5});
    records.number(RecordHeader{48, 0, 2, 0x1234, 1}).number(uint64_t{5}).number(uint64_t{6});
    header.published = from + records.text().size();
    seeds.push_back(Input()
                        .number(from)
                        .number(uint16_t{1})
                        .bytes({reinterpret_cast<const char*>(&header), sizeof header})
                        .bytes(records.text())
                        .text());
  }
  return seeds;
}

}  // namespace

extern const Harness channel_harness;
const Harness channel_harness{run, seeds, {}, 512};

}  // namespace arenad::fuzz
