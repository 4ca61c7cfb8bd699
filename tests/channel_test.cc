// Channels: the client writes in place and dies whenever it likes; the reader believes nothing that it has not checked.
#include "ipc/channel.h"

#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <sched.h>
#include <vector>

#include <doctest/doctest.h>

#include "arenad/message.h"
#include "tests/support/child.h"
#include "tests/support/seed.h"
#include "tests/support/stores.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using Step = ChannelCursor::Step;

constexpr uint64_t kRing = limits::kMinChannelBytes;
constexpr uint64_t kType = 0xABCD;

ChannelWriter writer_of(uint64_t ring_bytes = kRing) {
  auto writer = ChannelWriter::create(ring_bytes);
  REQUIRE(writer.ok());
  return std::move(*writer);
}

Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

ChannelView view_of(const Fd& fd) {
  auto view = ChannelView::map(copy_of(fd));
  REQUIRE(view.ok());
  return std::move(*view);
}

// Events that say by themselves whether they are whole: everything in them follows from their sequence and size.
void fill(void* words, uint64_t sequence, uint64_t word_count) {
  auto* to = static_cast<uint64_t*>(words);
  for (uint64_t i = 0; i < word_count; ++i) to[i] = mix(sequence, i);
}

bool whole(const std::byte* words, const RecordHeader& header) {
  if (header.type != mix(header.sequence, header.bytes)) return false;
  for (uint64_t i = 0; i < record_words(header.bytes); ++i) {
    if (load_shared<uint64_t>(words + i * 8) != mix(header.sequence, i)) return false;
  }
  return true;
}

bool send(ChannelWriter& writer, uint64_t word_count) {
  void* space = writer.reserve(word_count);
  if (space == nullptr) return false;
  const uint64_t sequence = writer.sequence() + 1;
  fill(space, sequence, word_count);
  writer.commit(mix(sequence, record_bytes(word_count)), word_count);
  writer.publish();
  return true;
}

struct Walk {
  Step last = Step::end;
  uint64_t events = 0;
  bool all_whole = true;
};

// Takes what is there, up to `end`.
Walk walk(const ChannelView& view, ChannelCursor& cursor, uint64_t end) {
  Walk result;
  RecordHeader header{};
  while ((result.last = cursor.peek(view, end, limits::kMaxEventBytes, header)) == Step::record) {
    result.all_whole = result.all_whole && whole(view.words_at(cursor.position()), header);
    ++result.events;
    cursor.advance(header);
  }
  return result;
}

Walk walk(const ChannelView& view, ChannelCursor& cursor) {
  const auto end = view.published(cursor.position());
  REQUIRE(end);
  return walk(view, cursor, *end);
}

// A channel as a hostile client could make it: everything in it can be written.
class RawChannel {
 public:
  explicit RawChannel(uint64_t ring_bytes = kRing, uint64_t region_bytes = kChannelRingOffset + kRing) {
    auto region = Region::create("arenad-test", region_bytes);
    REQUIRE(region.ok());
    region_ = std::move(*region);
    auto* h = new (region_.data()) ChannelHeader{};
    h->layout_version = kChannelLayoutVersion;
    h->header_bytes = sizeof(ChannelHeader);
    h->region_bytes = region_.bytes();
    h->ring_offset = kChannelRingOffset;
    h->ring_capacity = ring_bytes;
    h->magic = kChannelMagic;
  }
  ChannelHeader& header() { return *reinterpret_cast<ChannelHeader*>(region_.data()); }
  std::byte* ring() { return region_.data() + kChannelRingOffset; }
  std::byte* data() { return region_.data(); }
  void put(uint64_t position, const RecordHeader& record) {
    const auto* from = reinterpret_cast<const std::byte*>(&record);
    for (size_t i = 0; i < sizeof record; ++i) ring()[(position + i) % kRing] = from[i];
  }
  // For the rest of its life.
  Result<ChannelView> view() {
    REQUIRE(region_.seal().ok());
    return ChannelView::map(copy_of(region_.fd()));
  }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }

 private:
  Region region_;
};

}  // namespace

TEST_CASE("channel: an event is built in the ring and read from the ring") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  void* space = writer.reserve(32);
  REQUIRE(space != nullptr);
  std::memset(space, 0, 32 * 8);
  InPlaceBuilder message(space, 32);
  auto chat = message.initRoot<test::Chat>();
  chat.setSender(7);
  chat.setText("in place");
  REQUIRE(message.fits());
  const size_t used = message.used_words();
  CHECK(view.published(0) == 0);
  CHECK(writer.commit(capnp::typeId<test::Chat>(), used) == 1);
  CHECK(view.published(0) == 0);
  writer.publish();
  REQUIRE(view.published(0) == record_bytes(used));

  ChannelCursor cursor;
  RecordHeader header{};
  REQUIRE(cursor.peek(view, *view.published(0), writer.max_event_bytes(), header) == Step::record);
  CHECK(header.bytes == record_bytes(used));
  CHECK(header.check != 0);
  CHECK(header.sequence == 1);
  CHECK(header.type == capnp::typeId<test::Chat>());
  CHECK(view.bytes_at(0) + kRecordHeaderBytes == view.words_at(0));
  MessageView read(view.words_at(cursor.position()), record_words(header.bytes));
  CHECK(read.root<test::Chat>().getSender() == 7);
  CHECK(read.root<test::Chat>().getText() == "in place");
  cursor.advance(header);
  CHECK(cursor.next_sequence() == 2);
  CHECK(cursor.peek(view, *view.published(0), writer.max_event_bytes(), header) == Step::end);
}

TEST_CASE("channel: sizes that a ring can have") {
  for (uint64_t bytes = limits::kMinChannelBytes; bytes <= limits::kMaxChannelBytes; bytes *= 2) {
    const ChannelWriter writer = writer_of(bytes);
    CHECK(writer.capacity() == bytes);
    CHECK(writer.max_event_bytes() == std::min(bytes / 2, limits::kMaxEventBytes));
    CHECK(view_of(writer.fd()).capacity() == bytes);
  }
  for (const uint64_t bytes :
       {uint64_t{1}, kPageBytes, kRing / 2, kRing - 1, kRing + 1, 3 * kRing, limits::kMaxChannelBytes * 2, UINT64_MAX}) {
    CAPTURE(bytes);
    const auto writer = ChannelWriter::create(bytes);
    REQUIRE_FALSE(writer.ok());
    CHECK(writer.error().code == ErrorCode::invalid);
  }
}

TEST_CASE("channel: committed events become visible together") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  for (uint64_t i = 1; i <= 10; ++i) {
    fill(writer.reserve(i), i, i);
    CHECK(writer.commit(mix(i, record_bytes(i)), i) == i);
    CHECK(view.published(0) == 0);
  }
  writer.publish();
  ChannelCursor cursor;
  const Walk taken = walk(view, cursor);
  CHECK(taken.events == 10);
  CHECK(taken.all_whole);
  CHECK(cursor.position() == writer.written());
}

TEST_CASE("channel: less may be committed than was reserved") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  for (uint64_t sequence = 1; sequence <= 500; ++sequence) {
    void* space = writer.reserve(100);
    REQUIRE(space != nullptr);
    fill(space, sequence, 100);
    writer.commit(mix(sequence, record_bytes(3)), 3);
    writer.publish();
    ChannelCursor cursor(writer.released(), sequence);
    CHECK(walk(view, cursor).all_whole);
    writer.set_released(writer.written());
  }
  CHECK(writer.written() == 500 * record_bytes(3));
}

TEST_CASE("channel: many times round the ring, with records of every size over its edge") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  Random random(test_seed());
  ChannelCursor cursor;
  uint64_t sent = 0;
  uint64_t taken = 0;
  while (writer.written() < 100 * kRing) {
    if (send(writer, 1 + random.below(200))) {
      ++sent;
      continue;
    }
    const Walk step = walk(view, cursor);
    REQUIRE(step.last == Step::end);
    REQUIRE(step.all_whole);
    REQUIRE(step.events > 0);
    taken += step.events;
    writer.set_released(cursor.position());
  }
  taken += walk(view, cursor).events;
  CHECK(taken == sent);
  CHECK(cursor.next_sequence() == sent + 1);
}

TEST_CASE("channel: full exactly at the limit, and nothing is overwritten") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  constexpr uint64_t kWords = 4;
  constexpr uint64_t kEvents = kRing / record_bytes(kWords);
  static_assert(kEvents * record_bytes(kWords) == kRing);
  for (uint64_t i = 0; i < kEvents; ++i) REQUIRE(send(writer, kWords));
  const Image before = image_of(&view.header(), kChannelRingOffset + kRing);
  for (const uint64_t words : {uint64_t{1}, kWords, kRing / 8, UINT64_MAX / 16}) {
    CHECK(writer.reserve(words) == nullptr);
  }
  CHECK(writer.sequence() == kEvents);
  CHECK(image_of(&view.header(), kChannelRingOffset + kRing) == before);
  ChannelCursor cursor;
  const Walk taken = walk(view, cursor);
  CHECK(taken.events == kEvents);
  CHECK(taken.all_whole);

  SUBCASE("one byte short of the next event's size is not released enough") {
    writer.set_released(record_bytes(kWords) - 1);
    CHECK_FALSE(send(writer, kWords));
    writer.set_released(record_bytes(kWords));
    CHECK(send(writer, kWords));
    CHECK_FALSE(send(writer, kWords));
  }
  SUBCASE("all of it released") {
    writer.set_released(writer.written());
    for (uint64_t i = 0; i < kEvents; ++i) REQUIRE(send(writer, kWords));
    CHECK_FALSE(send(writer, kWords));
    CHECK(walk(view, cursor).events == kEvents);
    CHECK(cursor.next_sequence() == 2 * kEvents + 1);
  }
}

TEST_CASE("channel: what cannot have been released is not") {
  ChannelWriter writer = writer_of();
  for (int i = 0; i < 3; ++i) REQUIRE(send(writer, 4));
  writer.set_released(64);
  CHECK(writer.released() == 64);
  writer.set_released(0);
  CHECK(writer.released() == 64);
  writer.set_released(writer.written() + 1);
  CHECK(writer.released() == 64);
  writer.set_released(UINT64_MAX);
  CHECK(writer.released() == 64);
  writer.set_released(writer.written());
  CHECK(writer.released() == writer.written());
}

TEST_CASE("channel: the largest event, and one that is larger") {
  ChannelWriter writer = writer_of(256 * 1024);
  const ChannelView view = view_of(writer.fd());
  REQUIRE(writer.max_event_bytes() == limits::kMaxEventBytes);
  const uint64_t largest = record_words(limits::kMaxEventBytes);
  for (uint64_t i = 0; i < 4; ++i) REQUIRE(send(writer, largest));
  CHECK_FALSE(send(writer, 1));
  ChannelCursor cursor;
  RecordHeader header{};
  const uint64_t end = writer.written();
  CHECK(cursor.peek(view, end, limits::kMaxEventBytes, header) == Step::record);
  CHECK(cursor.peek(view, end, limits::kMaxEventBytes - 8, header) == Step::broken);
  CHECK(walk(view, cursor).events == 4);

  ChannelWriter small = writer_of();
  CHECK(small.reserve(kRing / 8) == nullptr);
  CHECK(small.reserve(record_words(kRing) + 1) == nullptr);
  CHECK(small.reserve(record_words(kRing)) != nullptr);
}

TEST_CASE("channel: an observer's has no ring and takes nothing") {
  ChannelWriter writer = writer_of(0);
  CHECK(writer.capacity() == 0);
  CHECK(writer.max_event_bytes() == 0);
  CHECK(writer.reserve(0) == nullptr);
  CHECK(writer.reserve(1) == nullptr);
  writer.publish();
  writer.header().outputs_read.store(77);
  writer.header().reader_asleep.store(1);
  const ChannelView view = view_of(writer.fd());
  CHECK_FALSE(view.has_ring());
  CHECK(view.published(0) == 0);
  CHECK(view.header().outputs_read.load() == 77);
  CHECK(view.header().reader_asleep.load() == 1);
  SUBCASE("and if it claims to have sent something, that cannot be") {
    writer.header().published.store(8);
    CHECK_FALSE(view.published(0));
  }
}

TEST_CASE("channel: a client's words to the arena are seen") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  CHECK(view.has_ring());
  CHECK(view.header().reader_asleep.load() == 0);
  writer.header().reader_asleep.store(1);
  writer.header().outputs_read.store(123456);
  CHECK(view.header().reader_asleep.load() == 1);
  CHECK(view.header().outputs_read.load() == 123456);
}

TEST_CASE("hostile channel: a region that is none") {
  SUBCASE("a region of a size that no channel has") {
    for (const uint64_t ring : {kPageBytes, kRing / 2, kRing - kPageBytes, kRing + kPageBytes, 3 * kRing,
                                limits::kMaxChannelBytes + kPageBytes, limits::kMaxChannelBytes * 2}) {
      CAPTURE(ring);
      const auto view = RawChannel(kRing, kChannelRingOffset + ring).view();
      REQUIRE_FALSE(view.ok());
      CHECK(view.error().code == ErrorCode::corrupt);
    }
  }
  SUBCASE("a region that is not sealed") {
    const RawChannel raw;
    CHECK_FALSE(ChannelView::map(copy_of(raw.fd())).ok());
  }
  SUBCASE("no region at all") {
    CHECK_FALSE(ChannelView::map(Fd()).ok());
  }
}

TEST_CASE("hostile channel: a newcomer's header that cannot be") {
  auto checked = [](RawChannel& raw) {
    auto view = raw.view();
    REQUIRE(view.ok());
    return view->check_header();
  };
  SUBCASE("sound ones are taken") {
    RawChannel with_ring;
    CHECK(checked(with_ring).ok());
    RawChannel observer(0, kChannelRingOffset);
    CHECK(checked(observer).ok());
    CHECK(view_of(writer_of().fd()).check_header().ok());
    CHECK(view_of(writer_of(0).fd()).check_header().ok());
  }
  SUBCASE("every other one is not") {
    const std::array<void (*)(ChannelHeader&), 14> faults = {
        [](ChannelHeader& h) { h.magic = 0; },
        [](ChannelHeader& h) { h.magic ^= 1; },
        [](ChannelHeader& h) { h.layout_version = 0; },
        [](ChannelHeader& h) { ++h.layout_version; },
        [](ChannelHeader& h) { h.ring_offset = 0; },
        [](ChannelHeader& h) { h.ring_offset += 8; },
        [](ChannelHeader& h) { h.ring_offset = UINT64_MAX - 4095; },
        [](ChannelHeader& h) { h.ring_capacity = 0; },
        [](ChannelHeader& h) { h.ring_capacity = 1; },
        [](ChannelHeader& h) { h.ring_capacity = kRing / 2; },
        [](ChannelHeader& h) { h.ring_capacity = kRing + 8; },
        [](ChannelHeader& h) { h.ring_capacity = kRing * 2; },
        [](ChannelHeader& h) { h.ring_capacity = 1ull << 63; },
        [](ChannelHeader& h) { h.ring_capacity = UINT64_MAX; },
    };
    for (size_t i = 0; i < faults.size(); ++i) {
      CAPTURE(i);
      RawChannel raw;
      faults[i](raw.header());
      const auto header = checked(raw);
      REQUIRE_FALSE(header.ok());
      CHECK(header.error().code == ErrorCode::corrupt);
    }
  }
  SUBCASE("a header with a ring, a region without") {
    RawChannel raw(kRing, kChannelRingOffset);
    CHECK_FALSE(checked(raw).ok());
  }
}

TEST_CASE("hostile channel: a header that changes later changes nothing, and keeps nobody from mapping the channel again") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  for (int i = 0; i < 5; ++i) REQUIRE(send(writer, 4));
  writer.header().magic = 0;
  writer.header().ring_capacity = UINT64_MAX;
  writer.header().ring_offset = UINT64_MAX;
  const ChannelView again = view_of(writer.fd());
  CHECK_FALSE(again.check_header().ok());
  for (const ChannelView* each : {&view, &again}) {
    CHECK(each->capacity() == kRing);
    ChannelCursor cursor;
    const Walk taken = walk(*each, cursor);
    CHECK(taken.events == 5);
    CHECK(taken.all_whole);
  }
}

TEST_CASE("hostile channel: an end of the stream that cannot be") {
  RawChannel raw;
  auto view = raw.view();
  REQUIRE(view.ok());
  const uint64_t from = 5 * kRing + 640;
  struct Case {
    uint64_t published;
    bool possible;
  };
  for (const Case& c : {Case{from, true}, Case{from + 8, true}, Case{from + kRing, true}, Case{from + kRing + 1, false},
                        Case{from + kRing + 8, false}, Case{from - 1, false}, Case{from - 640, false}, Case{0, false},
                        Case{UINT64_MAX, false}, Case{1ull << 63, false}}) {
    CAPTURE(c.published);
    raw.header().published.store(c.published);
    CHECK(view->published(from) == (c.possible ? std::optional(c.published) : std::nullopt));
  }
}

TEST_CASE("hostile channel: a record's header that cannot be") {
  RawChannel raw;
  auto view = raw.view();
  REQUIRE(view.ok());
  constexpr uint64_t kMaximum = 1024;
  // From everywhere in the ring, its last words included.
  for (const uint64_t position : {uint64_t{0}, uint64_t{8}, kRing - 8, kRing - 32, kRing - 40, 7 * kRing + 4096}) {
    const ChannelCursor cursor(position, 10);
    RecordHeader found{};
    auto look = [&](uint64_t bytes, uint64_t sequence, uint64_t available) {
      raw.put(position, {static_cast<uint32_t>(bytes), 0, sequence, kType, 0});
      return cursor.peek(*view, position + available, kMaximum, found);
    };
    CAPTURE(position);
    CHECK(look(40, 10, 4096) == Step::record);
    CHECK(found.type == kType);
    CHECK(look(kMaximum, 10, 4096) == Step::record);
    CHECK(look(64, 10, 64) == Step::record);
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{8}, uint64_t{31}, uint64_t{32}, uint64_t{33}, uint64_t{39},
                                 uint64_t{41}, uint64_t{44}, uint64_t{47}, kMaximum - 1, kMaximum + 1, kMaximum + 8, kRing,
                                 uint64_t{0x80000000}, uint64_t{UINT32_MAX} - 7, uint64_t{UINT32_MAX}}) {
      CAPTURE(bytes);
      CHECK(look(bytes, 10, 4096) == Step::broken);
    }
    // beyond the end
    CHECK(look(72, 10, 64) == Step::broken);
    CHECK(look(40, 10, 39) == Step::broken);
    for (uint64_t available = 1; available < kRecordHeaderBytes; ++available) CHECK(look(40, 10, available) == Step::broken);
    CHECK(look(40, 10, 0) == Step::end);
    for (const uint64_t sequence : {uint64_t{0}, uint64_t{9}, uint64_t{11}, uint64_t{1} << 32 | 10, UINT64_MAX}) {
      CAPTURE(sequence);
      CHECK(look(40, sequence, 4096) == Step::broken);
    }
  }
}

TEST_CASE("hostile channel: a frame that says a place or an end that the channel cannot have") {
  RawChannel raw;
  auto view = raw.view();
  REQUIRE(view.ok());
  RecordHeader found{};
  // Longer than the ring: it would be read beyond its two mappings.
  const RecordHeader too_long{static_cast<uint32_t>(kRing + 8), 0, 1, kType, 0};
  raw.put(kRing - 8, too_long);
  CHECK(ChannelCursor(kRing - 8, 1).peek(*view, UINT64_MAX, 4 * kRing, found) == Step::broken);
  raw.put(0, {static_cast<uint32_t>(kRing), 0, 1, kType, 0});
  CHECK(ChannelCursor(0, 1).peek(*view, UINT64_MAX, 4 * kRing, found) == Step::record);
  // Between words.
  raw.put(4, {40, 0, 1, kType, 0});
  CHECK(ChannelCursor(4, 1).peek(*view, 4096, 4096, found) == Step::broken);
  // An observer's has no ring at all.
  ChannelWriter observer = writer_of(0);
  CHECK(ChannelCursor(0, 1).peek(view_of(observer.fd()), 4096, 4096, found) == Step::broken);
}

TEST_CASE("hostile channel: garbage of every kind ends the walk and nothing else") {
  Random random(test_seed());
  RawChannel raw;
  auto view = raw.view();
  REQUIRE(view.ok());
  for (int round = 0; round < 10'000; ++round) {
    const uint64_t from = (random() >> random.below(60)) / 8 * 8;
    // A few records that are sound, so that the walk gets somewhere, and then anything.
    uint64_t at = from;
    uint64_t sequence = 1;
    for (uint64_t n = random.below(8); n > 0; --n, ++sequence) {
      const uint64_t bytes = record_bytes(1 + random.below(30));
      raw.put(at, {static_cast<uint32_t>(bytes), 0, sequence, kType, 0});
      at += bytes;
    }
    raw.put(at, {static_cast<uint32_t>(random() >> random.below(64)), 0, random.one_in(2) ? sequence : random(), random(), 0});
    raw.header().published.store(random.one_in(4) ? random() : from + random.below(kRing + 16));
    const auto end = view->published(from);
    if (!end) continue;
    REQUIRE(*end - from <= kRing);
    ChannelCursor cursor(from, 1);
    RecordHeader header{};
    uint64_t steps = 0;
    Step step = Step::record;
    while ((step = cursor.peek(*view, *end, limits::kMaxEventBytes, header)) == Step::record) {
      (void)load_shared<uint64_t>(view->words_at(cursor.position()) + header.bytes - kRecordHeaderBytes - 8);
      cursor.advance(header);
      REQUIRE(++steps <= kRing / 40);
    }
    REQUIRE(cursor.position() <= *end);
    REQUIRE((step == Step::broken || cursor.position() == *end));
  }
}

TEST_CASE("channel cursor: goes on where an earlier incarnation stopped") {
  ChannelWriter writer = writer_of();
  const ChannelView view = view_of(writer.fd());
  for (int i = 0; i < 5; ++i) REQUIRE(send(writer, 2));
  ChannelCursor first;
  RecordHeader header{};
  for (int i = 0; i < 2; ++i) {
    REQUIRE(first.peek(view, writer.written(), limits::kMaxEventBytes, header) == Step::record);
    first.advance(header);
  }
  ChannelCursor next(first.position(), first.next_sequence());
  CHECK(walk(view, next).events == 3);
  SUBCASE("and what it leaves out is left out") {
    ChannelCursor closed(first.position(), first.next_sequence());
    closed.skip_to(writer.written());
    CHECK(closed.peek(view, writer.written(), limits::kMaxEventBytes, header) == Step::end);
  }
}

TEST_CASE("torn channel: after every prefix of the stores of an event, in any order, only whole events are there") {
  Random random(test_seed());
  const size_t image_bytes = kChannelRingOffset + kRing;
  constexpr uint64_t kWords = 20;
  constexpr uint64_t kKept = 10;
  // Over the edge of the ring at each of its words, and once clear of it.
  for (uint64_t shift = 0; shift <= record_bytes(kWords); shift += 8) {
    CAPTURE(shift);
    ChannelWriter writer = writer_of();
    const ChannelView view = view_of(writer.fd());
    uint64_t next_words = 1 + shift / 8;
    // A ring that has been round, so that the next event lies over old ones.
    while (writer.written() + record_bytes(kWords) <= 2 * kRing) {
      writer.set_released(writer.written() - std::min(writer.written(), kKept * record_bytes(kWords)));
      REQUIRE(send(writer, next_words));
      next_words = kWords;
    }
    const uint64_t old_end = writer.written();
    const uint64_t begin = old_end - kKept * record_bytes(kWords);
    const uint64_t sequence = writer.sequence() + 1;
    writer.set_released(begin);
    const ChannelCursor start(begin, sequence - kKept);

    const Image before = image_of(&view.header(), image_bytes);
    void* space = writer.reserve(kWords);
    REQUIRE(space != nullptr);
    fill(space, sequence, kWords);
    writer.commit(mix(sequence, record_bytes(kWords)), kWords);
    const Image written = image_of(&view.header(), image_bytes);
    writer.publish();
    const Image after = image_of(&view.header(), image_bytes);
    const auto stores = stores_between(before, written);
    const auto publication = stores_between(written, after);
    REQUIRE(stores.size() >= kWords);
    REQUIRE(publication.size() == 1);
    REQUIRE(publication[0].offset == offsetof(ChannelHeader, published));

    RawChannel raw;
    std::memcpy(raw.data(), before.data(), image_bytes);
    auto torn = raw.view();
    REQUIRE(torn.ok());
    auto whole_events = [&](uint64_t events) {
      ChannelCursor cursor = start;
      const Walk taken = walk(*torn, cursor);
      return taken.last == Step::end && taken.events == events && taken.all_whole;
    };
    for (const auto& order : orders_of(stores, random)) {
      std::memcpy(raw.data(), before.data(), image_bytes);
      REQUIRE(whole_events(kKept));
      for (const WordStore& store : order) {
        do_store(raw.data(), store);
        REQUIRE(torn->published(begin) == old_end);
        REQUIRE(whole_events(kKept));
      }
      do_store(raw.data(), publication[0]);
      REQUIRE(whole_events(kKept + 1));
    }
  }
}

TEST_CASE("torn channel: a client killed at any instruction leaves only whole events") {
  Random random(test_seed());
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    ChannelWriter writer = writer_of();
    const ChannelView view = view_of(writer.fd());
    const Shared<std::atomic<uint64_t>> released;
    const uint64_t seed = random();
    Child client([&] {
      Random sizes(seed);
      for (;;) {
        if (send(writer, 1 + sizes.below(100))) continue;
        ::sched_yield();
        writer.set_released(released->load(std::memory_order_acquire));
      }
      return kChildFine;
    });
    ChannelCursor cursor;
    auto take = [&] {
      const auto end = view.published(cursor.position());
      if (!end) return false;
      const Walk taken = walk(view, cursor, *end);
      released->store(cursor.position(), std::memory_order_release);
      return taken.last == Step::end && taken.all_whole && cursor.position() == *end;
    };
    const uint64_t target = random.below(8 * kRing);
    const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
    bool sound = true;
    while (sound && cursor.position() < target && monotonic_ns() < deadline_ns) {
      sound = take();
      ::sched_yield();
    }
    REQUIRE(sound);
    // Anywhere in the work on an event, not just where we noticed one.
    for (uint64_t spin = random.below(20'000); spin > 0; --spin) std::atomic_signal_fence(std::memory_order_seq_cst);
    client.kill();
    REQUIRE(client.wait().text() == "signal=KILL");
    REQUIRE(take());
    CHECK(cursor.position() >= target);
    CHECK(view.published(cursor.position()) == cursor.position());
  }
}
