// The frame log: what was decided is read back whole, in order and exactly, or not at all.
#include "ipc/frame_log.h"

#include <cstring>
#include <deque>
#include <new>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <xxhash.h>

#include "ipc/limits.h"
#include "ipc/region.h"
#include "tests/support/child.h"
#include "tests/support/first_touch.h"
#include "tests/support/seed.h"
#include "tests/support/stores.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using Step = FrameLogReader::Step;

constexpr uint64_t kRing = 32 * kPageBytes;

struct Words {
  std::atomic<uint64_t> begin;
  std::atomic<uint64_t> published;
};

// One log in a region of its own, with both ends.
class Log {
 public:
  explicit Log(uint64_t capacity = kRing) : capacity_(capacity) {
    auto region = Region::create("arenad-test", kPageBytes + capacity);
    REQUIRE(region.ok());
    region_ = std::move(*region);
    auto ring = region_.map_ring(kPageBytes, capacity);
    REQUIRE(ring.ok());
    ring_ = *ring;
    REQUIRE(region_.seal().ok());
    new (region_.data()) Words{};
    auto fd = region_.fd().duplicate();
    REQUIRE(fd.ok());
    auto view = RegionView::map(std::move(*fd), kPageBytes);
    REQUIRE(view.ok());
    view_ = std::move(*view);
    auto view_ring = view_.map_ring(kPageBytes, capacity);
    REQUIRE(view_ring.ok());
    view_ring_ = *view_ring;
  }
  Words& words() { return *reinterpret_cast<Words*>(region_.data()); }
  std::byte* ring() { return ring_; }
  [[nodiscard]] const std::byte* view_ring() const { return view_ring_; }
  std::byte* data() { return region_.data(); }
  [[nodiscard]] uint64_t bytes() const { return region_.bytes(); }
  FrameLogWriter writer() { return {ring_, capacity_, {words().begin, words().published}}; }
  [[nodiscard]] FrameLogView view() const {
    const auto& w = *reinterpret_cast<const Words*>(view_.data());
    return {view_ring_, capacity_, w.begin, w.published};
  }

 private:
  uint64_t capacity_;
  Region region_;
  RegionView view_;
  std::byte* ring_ = nullptr;
  const std::byte* view_ring_ = nullptr;
};

struct Entry {
  FrameEntryKind kind;
  uint16_t slot;
  uint64_t value;
  std::string text;
  bool operator==(const Entry&) const = default;
};

std::vector<Entry> entries_of(const DecidedFrame& frame) {
  std::vector<Entry> entries;
  frame.for_each_entry([&](const FrameEntry& e, std::string_view text) {
    entries.push_back({e.kind, e.slot, e.value, std::string(text)});
  });
  return entries;
}

DecidedFrame frame_of(uint64_t number, const std::vector<Entry>& entries = {}) {
  DecidedFrame frame(number, number * 50, mix(number, 1));
  for (const Entry& e : entries) REQUIRE(frame.add(e.kind, e.slot, e.value, e.text));
  frame.close();
  return frame;
}

std::vector<Entry> some_entries(uint64_t number) {
  Random random(number);
  std::vector<Entry> entries(random.below(12));
  for (Entry& e : entries) {
    e.kind = static_cast<FrameEntryKind>(1 + random.below(4));
    e.slot = static_cast<uint16_t>(random.below(limits::kMaxSlots));
    e.value = random();
    if (random.one_in(3)) e.text = std::string(random.below(100), static_cast<char>('a' + number % 26));
  }
  return entries;
}

bool same(const DecidedFrame& a, const DecidedFrame& b) {
  return a.record().frame == b.record().frame && a.record().time_unix_ns == b.record().time_unix_ns &&
         a.record().seed == b.record().seed && entries_of(a) == entries_of(b);
}

constexpr FrameEffects kEffects = {1000, 0xAAAA, 2000, 0xBBBB};

// The rule of the layout, on its own: offset 0 to 32, then from 80 on.
void seal_record(std::vector<uint64_t>& words) {
  const auto* bytes = reinterpret_cast<const char*>(words.data());
  const uint64_t head = XXH3_64bits(bytes, 32);
  words[4] = XXH3_64bits_withSeed(bytes + 80, words.size() * 8 - 80, head);
}

std::vector<uint64_t> words_of(const DecidedFrame& frame) {
  return {frame.words().begin(), frame.words().end()};
}

FrameRecord& record_in(std::vector<uint64_t>& words) {
  return *reinterpret_cast<FrameRecord*>(words.data());
}

}  // namespace

TEST_CASE("frame: entries come back in their order, with their texts") {
  for (const size_t length : {0, 1, 7, 8, 9, 15, 16, 17, 64, 1000}) {
    CAPTURE(length);
    const std::vector<Entry> entries = {{FrameEntryKind::take, 3, 4096, ""},
                                        {FrameEntryKind::join, 64, 77, std::string(length, 'x')},
                                        {FrameEntryKind::leave, 127, 2, std::string("\0\xFF", 2)},
                                        {FrameEntryKind::drain, 0, UINT64_MAX, ""}};
    const DecidedFrame frame = frame_of(9, entries);
    CHECK(entries_of(frame) == entries);
    CHECK(frame.record().frame == 9);
    CHECK(frame.record().time_unix_ns == 450);
    CHECK(frame.record().seed == mix(9, 1));
    CHECK(frame.record().entry_count == 4);
    CHECK(frame.record().bytes == 80 + 4 * 16 + round_up(length, 8) + 8);
    CHECK_FALSE(frame.done());
    const auto parsed = DecidedFrame::parse(frame.words());
    REQUIRE(parsed);
    CHECK(same(*parsed, frame));
  }
  CHECK(frame_of(1).record().bytes == 80);
  CHECK(entries_of(frame_of(1)).empty());
}

TEST_CASE("frame: the checksum is what the layout says") {
  std::vector<uint64_t> words = words_of(frame_of(5, some_entries(5)));
  const uint64_t checksum = words[4];
  seal_record(words);
  CHECK(words[4] == checksum);
}

TEST_CASE("frame: a record grows to its limit and no further") {
  DecidedFrame frame(1, 2, 3);
  const uint64_t most = (kMaxFrameRecordBytes - sizeof(FrameRecord)) / sizeof(FrameEntry);
  SUBCASE("of entries") {
    for (uint64_t i = 0; i < most; ++i) REQUIRE(frame.add(FrameEntryKind::take, 1, i));
    const uint32_t count = frame.record().entry_count;
    const size_t size = frame.words().size();
    CHECK_FALSE(frame.add(FrameEntryKind::take, 1, 0));
    CHECK(frame.record().entry_count == count);
    CHECK(frame.words().size() == size);
    frame.close();
    CHECK(frame.record().bytes == kMaxFrameRecordBytes);
    CHECK(DecidedFrame::parse(frame.words()));
  }
  SUBCASE("of one text") {
    const uint64_t room = kMaxFrameRecordBytes - sizeof(FrameRecord) - sizeof(FrameEntry);
    CHECK_FALSE(frame.add(FrameEntryKind::join, 1, 1, std::string(room + 1, 'x')));
    CHECK(frame.record().entry_count == 0);
    CHECK(frame.add(FrameEntryKind::join, 1, 1, std::string(room, 'x')));
    CHECK_FALSE(frame.add(FrameEntryKind::take, 1, 1));
    frame.close();
    CHECK(frame.record().bytes == kMaxFrameRecordBytes);
    CHECK(DecidedFrame::parse(frame.words()));
  }
  SUBCASE("with a slot of every player joining, leaving and sending in one frame it is far from there") {
    const std::string name(limits::kMaxPlayerNameBytes, 'n');
    for (uint16_t slot = 0; slot < limits::kMaxSlots; ++slot) {
      REQUIRE(frame.add(FrameEntryKind::leave, slot, 1));
      REQUIRE(frame.add(FrameEntryKind::join, slot, slot, name));
      REQUIRE(frame.add(FrameEntryKind::take, slot, slot));
    }
    CHECK(frame.words().size_bytes() < kMaxFrameRecordBytes);
  }
}

TEST_CASE("frame: bytes that are no record") {
  const std::vector<uint64_t> good =
      words_of(frame_of(7, {{FrameEntryKind::join, 1, 2, "ann"}, {FrameEntryKind::take, 1, 80, ""}}));
  REQUIRE(DecidedFrame::parse(good));
  SUBCASE("every truncation") {
    for (size_t count = 0; count < good.size(); ++count) {
      CAPTURE(count);
      CHECK_FALSE(DecidedFrame::parse({good.data(), count}));
      // even if its size and checksum are made to fit
      std::vector<uint64_t> cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(count));
      if (count < sizeof(FrameRecord) / 8) continue;
      record_in(cut).bytes = static_cast<uint32_t>(count * 8);
      seal_record(cut);
      CHECK_FALSE(DecidedFrame::parse(cut));
    }
  }
  SUBCASE("something behind it") {
    std::vector<uint64_t> more = good;
    more.push_back(0);
    CHECK_FALSE(DecidedFrame::parse(more));
    record_in(more).bytes += 8;
    seal_record(more);
    CHECK_FALSE(DecidedFrame::parse(more));
  }
  SUBCASE("entries that do not tile it, with a checksum that fits") {
    auto refused = [&](auto&& change) {
      std::vector<uint64_t> words = good;
      change(words);
      seal_record(words);
      return !DecidedFrame::parse(words).has_value();
    };
    auto text_bytes = [](std::vector<uint64_t>& words) -> uint32_t& {
      return reinterpret_cast<FrameEntry*>(words.data() + sizeof(FrameRecord) / 8)->text_bytes;
    };
    CHECK_FALSE(refused([](auto&) {}));
    for (const uint32_t count : {0u, 1u, 3u, 4u, 1000u, UINT32_MAX}) {
      CAPTURE(count);
      CHECK(refused([&](auto& words) { record_in(words).entry_count = count; }));
    }
    for (const uint32_t bytes : {0u, 9u, 16u, 24u, 25u, 1000u, UINT32_MAX - 7, UINT32_MAX - 6, UINT32_MAX}) {
      CAPTURE(bytes);
      CHECK(refused([&](auto& words) { text_bytes(words) = bytes; }));
    }
    for (const uint32_t bytes : {0u, 79u, 80u, UINT32_MAX}) {
      CAPTURE(bytes);
      CHECK(refused([&](auto& words) { record_in(words).bytes = bytes; }));
    }
  }
}

TEST_CASE("frame: what an earlier run left behind can be taken off it") {
  Log log;
  FrameLogWriter writer = log.writer();
  writer.append(frame_of(1, some_entries(1)));
  writer.mark_done(kEffects);
  FrameLogReader reader;
  REQUIRE(reader.next(log.view()) == Step::frame);
  DecidedFrame frame = reader.take();
  CHECK(frame.done());
  CHECK(frame.effects() == kEffects);
  frame.clear_done();
  CHECK_FALSE(frame.done());
  CHECK(frame.effects() == FrameEffects{});
  Log next;
  FrameLogWriter successor = next.writer();
  successor.append(frame);  // its checksum still holds
  FrameLogReader again;
  REQUIRE(again.next(next.view()) == Step::frame);
  CHECK_FALSE(again.frame().done());
  CHECK(same(again.frame(), frame));
}

TEST_CASE("frame log: 0, 1 and many frames") {
  Log log;
  FrameLogWriter writer = log.writer();
  FrameLogReader reader;
  CHECK(reader.next(log.view()) == Step::end);
  CHECK(writer.used() == 0);
  CHECK(writer.capacity() == kRing);
  for (uint64_t number = 1; number <= 50; ++number) {
    const DecidedFrame frame = frame_of(number, some_entries(number));
    writer.append(frame);
    REQUIRE(reader.next(log.view()) == Step::frame);
    CHECK(same(reader.frame(), frame));
    CHECK(reader.next(log.view()) == Step::end);
  }
  FrameLogReader later;
  for (uint64_t number = 1; number <= 50; ++number) {
    REQUIRE(later.next(log.view()) == Step::frame);
    CHECK(same(later.frame(), frame_of(number, some_entries(number))));
  }
  CHECK(later.next(log.view()) == Step::end);
}

TEST_CASE("frame log: done is seen once it is marked, with all that it covers") {
  Log log;
  FrameLogWriter writer = log.writer();
  writer.append(frame_of(1));
  writer.mark_done(kEffects);
  writer.append(frame_of(2));
  FrameLogReader reader;
  REQUIRE(reader.next(log.view()) == Step::frame);
  CHECK(reader.frame().done());
  CHECK(reader.frame().effects() == kEffects);
  REQUIRE(reader.next(log.view()) == Step::frame);
  CHECK_FALSE(reader.frame().done());
  writer.mark_done({1, 2, 3, 4});
  CHECK_FALSE(reader.frame().done());  // a private copy
  reader.rewind(log.view());
  REQUIRE(reader.next(log.view()) == Step::frame);
  REQUIRE(reader.next(log.view()) == Step::frame);
  CHECK(reader.frame().done());
  CHECK(reader.frame().effects() == FrameEffects{1, 2, 3, 4});

  SUBCASE("a death before its last store leaves it undone") {
    writer.append(frame_of(3));
    const Image before = image_of(log.data(), log.bytes());
    writer.mark_done(kEffects);
    const Image after = image_of(log.data(), log.bytes());
    const auto stores = stores_between(before, after);
    REQUIRE(stores.size() == 5);
    // In memory `done` comes first; it is stored last.
    std::memcpy(log.data(), before.data(), before.size());
    auto last = [&] {
      FrameLogReader fresh;
      for (int i = 0; i < 3; ++i) REQUIRE(fresh.next(log.view()) == Step::frame);
      return fresh.take();
    };
    CHECK_FALSE(last().done());
    for (size_t i = 1; i < stores.size(); ++i) {
      do_store(log.data(), stores[i]);
      CHECK_FALSE(last().done());
    }
    do_store(log.data(), stores[0]);
    CHECK(last().done());
    CHECK(last().effects() == kEffects);
  }
  SUBCASE("a mark that is not this frame's number is none") {
    auto& record = *reinterpret_cast<FrameRecord*>(log.ring());
    for (const uint64_t done : {uint64_t{0}, uint64_t{2}, UINT64_MAX}) {
      record.done = done;
      FrameLogReader fresh;
      REQUIRE(fresh.next(log.view()) == Step::frame);
      CHECK_FALSE(fresh.frame().done());
    }
  }
}

TEST_CASE("frame log: full exactly at the limit") {
  Log log;
  FrameLogWriter writer = log.writer();
  const auto of_bytes = [](uint64_t bytes) {
    DecidedFrame frame(1, 2, 3);
    while (frame.words().size_bytes() < bytes && frame.add(FrameEntryKind::take, 1, 1)) {
    }
    frame.close();
    return frame;
  };
  const DecidedFrame largest = of_bytes(UINT64_MAX);
  REQUIRE(largest.record().bytes == kMaxFrameRecordBytes);
  writer.append(largest);
  constexpr uint64_t kLeft = kRing - kMaxFrameRecordBytes;
  CHECK(writer.fits(kLeft));
  CHECK_FALSE(writer.fits(kLeft + 8));
  writer.append(of_bytes(kLeft));
  CHECK(writer.used() == kRing);
  CHECK_FALSE(writer.fits(80));
  CHECK_FALSE(writer.fits(8));
  CHECK(writer.fits(0));
  CHECK(aborts([&] { writer.append(frame_of(3)); }));
  FrameLogReader reader;
  CHECK(reader.next(log.view()) == Step::frame);
  CHECK(reader.next(log.view()) == Step::frame);
  CHECK(reader.next(log.view()) == Step::end);
}

TEST_CASE("frame log: released are whole records, up to a frame and no further") {
  Log log;
  FrameLogWriter writer = log.writer();
  for (uint64_t number = 10; number < 20; ++number) writer.append(frame_of(number));
  FrameLogReader reader;
  auto first = [&] {
    reader.rewind(log.view());
    return reader.next(log.view()) == Step::frame ? reader.frame().record().frame : 0;
  };
  CHECK(first() == 10);
  writer.release_through(0);
  writer.release_through(9);
  CHECK(first() == 10);
  CHECK(writer.used() == 10 * 80);
  writer.release_through(10);
  CHECK(first() == 11);
  CHECK(writer.used() == 9 * 80);
  writer.release_through(14);
  CHECK(first() == 15);
  writer.release_through(12);  // goes not back
  CHECK(first() == 15);
  writer.release_through(UINT64_MAX);
  CHECK(first() == 0);
  CHECK(writer.used() == 0);
  CHECK(log.words().begin == log.words().published);
  writer.append(frame_of(20));
  CHECK(first() == 20);
  SUBCASE("a reader of what was released is told so, even before it is overwritten") {
    FrameLogReader slow;
    CHECK(slow.next(log.view()) == Step::lagged);
    slow.rewind(log.view());
    CHECK(slow.next(log.view()) == Step::frame);
  }
}

TEST_CASE("frame log: many times round the ring") {
  Random random(test_seed());
  Log log;
  FrameLogWriter writer = log.writer();
  FrameLogReader follower;
  std::deque<std::pair<DecidedFrame, std::optional<FrameEffects>>> kept;
  uint64_t appended = 0;
  for (uint64_t number = 1; number <= 5000; ++number) {
    DecidedFrame frame = frame_of(number, some_entries(number));
    while (!writer.fits(frame.record().bytes)) {
      REQUIRE_FALSE(kept.empty());
      writer.release_through(kept.front().first.record().frame);
      kept.pop_front();
    }
    writer.append(frame);
    appended += frame.record().bytes;
    kept.emplace_back(frame, std::nullopt);
    REQUIRE(follower.next(log.view()) == Step::frame);
    REQUIRE(same(follower.frame(), frame));
    REQUIRE_FALSE(follower.frame().done());  // whatever lay at its place before
    if (!random.one_in(10)) {
      kept.back().second = FrameEffects{number, number + 1, number + 2, number + 3};
      writer.mark_done(*kept.back().second);
    }
    if (!random.one_in(100)) continue;
    FrameLogReader all;
    all.rewind(log.view());
    for (const auto& [expected, effects] : kept) {
      REQUIRE(all.next(log.view()) == Step::frame);
      REQUIRE(same(all.frame(), expected));
      REQUIRE(all.frame().done() == effects.has_value());
      if (effects) REQUIRE(all.frame().effects() == *effects);
    }
    REQUIRE(all.next(log.view()) == Step::end);
  }
  CHECK(appended > 10 * kRing);
}

TEST_CASE("frame log: every single bit that flips is noticed or harmless") {
  Log log;
  FrameLogWriter writer = log.writer();
  const DecidedFrame frame = frame_of(3, {{FrameEntryKind::join, 5, 6, "a player"}, {FrameEntryKind::take, 5, 4096, ""}});
  const uint64_t bytes = frame.record().bytes;
  writer.append(frame);
  writer.mark_done(kEffects);
  const DecidedFrame behind = frame_of(4);
  writer.append(behind);
  auto* ring = reinterpret_cast<uint8_t*>(log.ring());
  for (uint64_t bit = 0; bit < bytes * 8; ++bit) {
    CAPTURE(bit / 8);
    CAPTURE(bit % 8);
    ring[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    FrameLogReader reader;
    const Step step = reader.next(log.view());
    const uint64_t offset = bit / 8;
    if (offset < offsetof(FrameRecord, done) || offset >= sizeof(FrameRecord)) {
      CHECK(step == Step::corrupt);
    } else {
      // Outside of the checksum, because it is written later. What was decided is the same in any case: a flipped mark makes the
      // frame look undone, and it is run again all the same; a flipped place or hash shows as a difference when it is run again.
      REQUIRE(step == Step::frame);
      CHECK(same(reader.frame(), frame));
      CHECK(reader.frame().done() == (offset >= offsetof(FrameRecord, outputs_end)));
      CHECK((reader.frame().effects() == kEffects) == (offset < offsetof(FrameRecord, outputs_end)));
      CHECK(reader.next(log.view()) == Step::frame);
      CHECK(same(reader.frame(), behind));
    }
    ring[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
  FrameLogReader reader;
  CHECK(reader.next(log.view()) == Step::frame);
}

TEST_CASE("frame log: behind a damaged record the next whole ones are found, as long as its length can be believed") {
  Log log;
  FrameLogWriter writer = log.writer();
  std::vector<uint64_t> at{0};
  for (uint64_t number = 1; number <= 5; ++number) {
    writer.append(frame_of(number, some_entries(number)));
    at.push_back(writer.used());
  }
  FrameLogReader reader;
  reader.rewind(log.view());
  REQUIRE(reader.next(log.view()) == Step::frame);
  log.ring()[at[1] + offsetof(FrameRecord, seed)] ^= std::byte{4};
  CHECK(reader.next(log.view()) == Step::corrupt);
  SUBCASE("it can") {
    REQUIRE(reader.skip(log.view()));
    for (uint64_t number = 3; number <= 5; ++number) {
      REQUIRE(reader.next(log.view()) == Step::frame);
      CHECK(same(reader.frame(), frame_of(number, some_entries(number))));
    }
    CHECK(reader.next(log.view()) == Step::end);
    CHECK_FALSE(reader.skip(log.view()));
  }
  SUBCASE("it cannot") {
    for (const uint32_t bytes : {0u, 8u, 79u, 84u, UINT32_MAX - 7}) {
      std::memcpy(log.ring() + at[1], &bytes, sizeof bytes);
      CHECK_FALSE(reader.skip(log.view()));
    }
  }
  SUBCASE("it lies: what is found there is no record") {
    const uint32_t bytes = sizeof(FrameRecord) + 8;
    std::memcpy(log.ring() + at[1], &bytes, sizeof bytes);
    REQUIRE(reader.skip(log.view()));
    Step step = Step::corrupt;
    while ((step = reader.next(log.view())) == Step::corrupt && reader.skip(log.view())) {
    }
    if (step == Step::frame) CHECK(reader.frame().record().frame > 2);
  }
}

TEST_CASE("hostile frame log: sizes that cannot be") {
  Log log;
  FrameLogWriter writer = log.writer();
  writer.append(frame_of(1, some_entries(8)));
  const uint64_t bytes = log.words().published;
  auto& record = *reinterpret_cast<FrameRecord*>(log.ring());
  auto look = [&] {
    FrameLogReader reader;
    const Step step = reader.next(log.view());
    if (step != Step::frame) CHECK(reader.next(log.view()) == step);
    return step;
  };
  REQUIRE(look() == Step::frame);
  SUBCASE("of the record") {
    log.words().published.store(2 * kPageBytes);
    for (const uint64_t wrong :
         {uint64_t{0}, uint64_t{8}, uint64_t{72}, uint64_t{79}, uint64_t{80}, uint64_t{81}, bytes - 8, bytes - 1, bytes + 1,
          bytes + 8, kMaxFrameRecordBytes, kMaxFrameRecordBytes + 8, uint64_t{UINT32_MAX} - 7, uint64_t{UINT32_MAX}}) {
      CAPTURE(wrong);
      record.bytes = static_cast<uint32_t>(wrong);
      CHECK(look() == Step::corrupt);
    }
  }
  SUBCASE("of the log: its end lies within the record") {
    for (uint64_t end = 1; end < bytes; ++end) {
      log.words().published.store(end);
      REQUIRE(look() == Step::corrupt);
    }
  }
  SUBCASE("of the log: further than it is long, or gone back") {
    for (const uint64_t end : {kRing + 8, UINT64_MAX}) {
      log.words().published.store(end);
      CHECK(look() == Step::lagged);
    }
    log.words().published.store(bytes);
    FrameLogReader reader;
    REQUIRE(reader.next(log.view()) == Step::frame);
    log.words().published.store(bytes - 8);
    CHECK(reader.next(log.view()) == Step::lagged);
  }
  SUBCASE("of the log: begun behind its end") {
    log.words().begin.store(UINT64_MAX);
    CHECK(look() == Step::lagged);
    FrameLogReader reader;
    reader.rewind(log.view());
    CHECK(reader.next(log.view()) == Step::lagged);
  }
}

TEST_CASE("hostile frame log: a sound record between words") {
  Log log;
  const DecidedFrame frame = frame_of(1, some_entries(8));
  std::memcpy(log.ring() + 4, frame.words().data(), frame.words().size_bytes());
  log.words().begin.store(4);
  log.words().published.store(4 + frame.words().size_bytes());
  FrameLogReader reader;
  reader.rewind(log.view());
  CHECK(reader.next(log.view()) == Step::corrupt);
  CHECK_FALSE(reader.skip(log.view()));
}

TEST_CASE("hostile frame log: a record that is whole but too large") {
  Log log;
  std::vector<uint64_t> words(kMaxFrameRecordBytes / 8 + 2);
  record_in(words).bytes = static_cast<uint32_t>(words.size() * 8);
  record_in(words).frame = 1;
  record_in(words).entry_count = static_cast<uint32_t>((words.size() * 8 - sizeof(FrameRecord)) / sizeof(FrameEntry));
  seal_record(words);
  REQUIRE(DecidedFrame::parse(words));
  std::memcpy(log.ring(), words.data(), words.size() * 8);
  log.words().published.store(words.size() * 8);
  FrameLogReader reader;
  CHECK(reader.next(log.view()) == Step::corrupt);
}

TEST_CASE("hostile frame log: garbage of every kind is read without harm") {
  Random random(test_seed());
  Log log;
  const std::vector<uint64_t> good = words_of(frame_of(1, some_entries(8)));
  for (int round = 0; round < 10'000; ++round) {
    uint64_t at = 0;
    for (uint64_t n = random.below(3); n > 0; --n) {
      std::memcpy(log.ring() + at, good.data(), good.size() * 8);
      at += good.size() * 8;
    }
    std::vector<uint64_t> bad = good;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) bad[random.below(bad.size())] = random() >> random.below(64);
    if (random.one_in(2)) seal_record(bad);
    std::memcpy(log.ring() + at, bad.data(), bad.size() * 8);
    log.words().published.store(random.one_in(4) ? random() : at + random.below(4 * bad.size() * 8));
    log.words().begin.store(random.one_in(8) ? random() : 0);
    FrameLogReader reader;
    if (random.one_in(2)) reader.rewind(log.view());
    uint64_t steps = 0;
    while (reader.next(log.view()) == Step::frame) {
      REQUIRE(entries_of(reader.frame()).size() == reader.frame().record().entry_count);
      REQUIRE(++steps <= kRing / 80);
    }
  }
}

TEST_CASE("frame log: a record that is overwritten while it is copied is not accepted") {
  Log log(4 * kPageBytes);
  FrameLogWriter writer = log.writer();
  DecidedFrame large(1, 2, 3);
  while (large.words().size_bytes() < kPageBytes + 512) REQUIRE(large.add(FrameEntryKind::take, 1, 1));
  large.close();
  writer.append(large);
  bool touched = false;
  auto look = [&](const std::function<void()>& meanwhile) {
    FrameLogReader reader;
    const FirstTouch touch(log.view_ring() + kPageBytes, [&] {
      meanwhile();
      touched = true;
    });
    return reader.next(log.view());
  };
  SUBCASE("once it is released") {
    CHECK(look([&] { writer.release_through(1); }) == Step::lagged);
  }
  SUBCASE("by what is written over it") {
    CHECK(look([&] {
            for (uint64_t number = 2; number < 200; ++number) {
              while (!writer.fits(80)) writer.release_through(number - 20);
              writer.append(frame_of(number));
            }
          }) == Step::lagged);
  }
  SUBCASE("not even its size is believed, which may be anything by now") {
    FrameLogReader reader;
    const FirstTouch touch(log.view_ring(), [&] {
      writer.release_through(1);
      // Records that do not begin where the old one did, their last bytes in the place of its first.
      for (uint64_t number = 2; log.words().published < 4 * kPageBytes + 40; ++number) {
        while (!writer.fits(80)) writer.release_through(number - 20);
        writer.append(frame_of(number));
      }
      touched = true;
    });
    CHECK(reader.next(log.view()) == Step::lagged);
  }
  SUBCASE("but it is, if only something was written behind it") {
    CHECK(look([&] { writer.append(frame_of(2)); }) == Step::frame);
  }
  SUBCASE("and if it was done meanwhile, it is undone as it was when the copy began") {
    FrameLogReader reader;
    const FirstTouch touch(log.view_ring() + kPageBytes, [&] {
      writer.mark_done(kEffects);
      touched = true;
    });
    REQUIRE(reader.next(log.view()) == Step::frame);
    CHECK_FALSE(reader.frame().done());
  }
  CHECK(touched);
}

TEST_CASE("torn frame log: after every prefix of the stores of a record, in any order, only whole frames are there") {
  Random random(test_seed());
  const std::vector<Entry> entries = {{FrameEntryKind::join, 1, 2, "a player"}, {FrameEntryKind::take, 1, 4096, ""}};
  for (int shift = 0; shift < 4; ++shift) {
    CAPTURE(shift);
    Log log(4 * kPageBytes);
    FrameLogWriter writer = log.writer();
    // A log that has been round, so that the next record lies over old ones and, at least once, over the edge.
    uint64_t number = 1;
    const uint64_t size = frame_of(1, entries).record().bytes;
    uint64_t written = 0;
    while (written + size <= 8 * kPageBytes) {
      const auto& list = number <= static_cast<uint64_t>(shift) ? std::vector<Entry>{} : entries;
      const DecidedFrame frame = frame_of(number, list);
      writer.release_through(number < 10 ? 0 : number - 10);
      writer.append(frame);
      writer.mark_done(kEffects);
      written += frame.record().bytes;
      ++number;
    }
    const DecidedFrame next = frame_of(number, entries);
    const Image before = image_of(log.data(), log.bytes());
    writer.append(next);
    const Image after = image_of(log.data(), log.bytes());
    const size_t published_offset = offsetof(Words, published);
    std::vector<WordStore> stores;
    WordStore publication{};
    for (const WordStore& store : stores_between(before, after)) {
      if (store.offset == published_offset) publication = store;
      if (store.offset != published_offset) stores.push_back(store);
    }
    REQUIRE(publication.word == written + size);
    auto frames_are = [&](uint64_t last) {
      FrameLogReader reader;
      reader.rewind(log.view());
      for (uint64_t expected = number - 10; expected <= last; ++expected) {
        if (reader.next(log.view()) != Step::frame || !same(reader.frame(), frame_of(expected, entries))) return false;
        if (reader.frame().done() != (expected < number)) return false;
      }
      return reader.next(log.view()) == Step::end;
    };
    for (const auto& order : orders_of(stores, random)) {
      std::memcpy(log.data(), before.data(), before.size());
      REQUIRE(frames_are(number - 1));
      for (const WordStore& store : order) {
        do_store(log.data(), store);
        REQUIRE(frames_are(number - 1));
      }
      do_store(log.data(), publication);
      REQUIRE(frames_are(number));
    }
  }
}
