// Output streams: one writer that waits for nobody, readers that are told when they are too slow and are never given a torn record.
#include "ipc/outbox.h"

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <sched.h>
#include <vector>

#include <doctest/doctest.h>
#include <xxhash.h>

#include "ipc/region.h"
#include "tests/support/child.h"
#include "tests/support/first_touch.h"
#include "tests/support/seed.h"
#include "tests/support/stores.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using Step = OutboxReader::Step;

constexpr uint64_t kRing = 2 * kPageBytes;
constexpr uint64_t kMaximum = 4 * kPageBytes;
constexpr uint64_t kEveryone = 0;

struct Words {
  std::atomic<uint64_t> published;
  std::atomic<uint64_t> begin;
  std::atomic<uint64_t> reserved;
  std::atomic<uint64_t> count;
};

// One stream in a region of its own, with both ends.
class Stream {
 public:
  explicit Stream(uint64_t capacity = kRing) : capacity_(capacity) {
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
  OutboxWriter writer() { return {ring_, capacity_, {words().published, words().begin, words().reserved, words().count}}; }
  [[nodiscard]] StreamView view() const {
    const auto& w = *reinterpret_cast<const Words*>(view_.data());
    return {view_ring_, capacity_, w.published, w.begin, w.reserved};
  }
  // A record as a hostile writer could write it, and the stream's end behind it.
  void put(uint64_t position, const RecordHeader& header, uint64_t published) {
    std::memcpy(ring_ + position % capacity_, &header, sizeof header);
    words().published.store(published);
    words().reserved.store(published);
  }

 private:
  uint64_t capacity_;
  Region region_;
  RegionView view_;
  std::byte* ring_ = nullptr;
  const std::byte* view_ring_ = nullptr;
};

// Records that say by themselves whether they are whole.
bool put(OutboxWriter& writer, uint64_t word_count, uint64_t reserved_words) {
  void* space = writer.reserve(reserved_words);
  if (space == nullptr) return false;
  const uint64_t sequence = writer.count() + 1;
  auto* to = static_cast<uint64_t*>(space);
  for (uint64_t i = 0; i < word_count; ++i) to[i] = mix(sequence, i);
  writer.commit(mix(sequence, record_bytes(word_count)), ~sequence, word_count);
  return true;
}

bool put(OutboxWriter& writer, uint64_t word_count) {
  return put(writer, word_count, word_count);
}

bool whole(const OutboxReader& reader) {
  const RecordHeader& header = reader.header();
  if (header.type != mix(header.sequence, header.bytes) || header.party != ~header.sequence) return false;
  if (std::memcmp(reader.record(), &header, sizeof header) != 0) return false;
  const auto* words = static_cast<const uint64_t*>(reader.words());
  for (uint64_t i = 0; i < reader.word_count(); ++i) {
    if (words[i] != mix(header.sequence, i)) return false;
  }
  return true;
}

struct Taken {
  uint64_t records = 0;
  Step last = Step::end;
  bool sound = true;  // whole, and without a gap
};

// next_sequence 0: of any.
Taken take_all(OutboxReader& reader, const StreamView& view, uint64_t& next_sequence) {
  Taken taken;
  while ((taken.last = reader.next(view)) == Step::record) {
    const bool next = next_sequence == 0 || reader.header().sequence == next_sequence;
    taken.sound = taken.sound && next && whole(reader);
    next_sequence = reader.header().sequence + 1;
    ++taken.records;
  }
  return taken;
}

}  // namespace

TEST_CASE("outbox: nothing is readable before it is published") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  OutboxReader reader(kMaximum);
  CHECK(reader.next(stream.view()) == Step::end);
  CHECK_FALSE(writer.publish());
  REQUIRE(put(writer, 3));
  REQUIRE(put(writer, 1));
  CHECK(reader.next(stream.view()) == Step::end);
  CHECK(writer.written() == record_bytes(3) + record_bytes(1));
  CHECK(writer.published() == 0);
  CHECK(writer.publish());
  CHECK_FALSE(writer.publish());
  CHECK(stream.words().count == 2);
  CHECK(stream.words().published == writer.written());

  uint64_t next = 1;
  const Taken taken = take_all(reader, stream.view(), next);
  CHECK(taken.records == 2);
  CHECK(taken.sound);
  CHECK(taken.last == Step::end);
  CHECK(reader.position() == writer.published());
}

TEST_CASE("outbox: what a reader is given") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  auto* space = static_cast<uint64_t*>(writer.reserve(2));
  REQUIRE(space != nullptr);
  CHECK(space[0] == 0);
  space[0] = 0x1111;
  space[1] = 0x2222;
  writer.commit(77, 0b1010, 2);
  REQUIRE(writer.reserve(0) != nullptr);
  writer.commit(78, kEveryone, 0);
  writer.publish();

  OutboxReader reader(kMaximum);
  REQUIRE(reader.next(stream.view()) == Step::record);
  CHECK(reader.header().bytes == 48);
  CHECK(reader.header().sequence == 1);
  CHECK(reader.header().type == 77);
  CHECK(reader.header().party == 0b1010);
  CHECK(reader.word_count() == 2);
  CHECK(static_cast<const uint64_t*>(reader.words())[0] == 0x1111);
  CHECK(static_cast<const uint64_t*>(reader.words())[1] == 0x2222);
  CHECK(std::memcmp(reader.record(), stream.ring(), 48) == 0);
  CHECK(reader.position() == 48);
  SUBCASE("a private copy, that what is written later does not change") {
    std::memset(stream.ring(), 0xEE, kRing);
    CHECK(static_cast<const uint64_t*>(reader.words())[0] == 0x1111);
    CHECK(reader.header().type == 77);
  }
  SUBCASE("a record without even a root pointer is none") {
    CHECK(reader.next(stream.view()) == Step::corrupt);
  }
}

TEST_CASE("outbox: space is zeroed, whatever was there") {
  Stream stream;
  std::memset(stream.ring(), 0xEE, kRing);
  OutboxWriter writer = stream.writer();
  writer.start_at(kRing - 16, 0);
  const auto* space = static_cast<const uint64_t*>(writer.reserve(100));
  REQUIRE(space != nullptr);
  for (int i = 0; i < 100; ++i) CHECK(space[i] == 0);
}

TEST_CASE("outbox: a reader follows without a gap, many times round the ring") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  Random random(test_seed());
  OutboxReader reader(kMaximum);
  uint64_t next = 1;
  uint64_t written = 0;
  while (writer.written() < 100 * kRing) {
    for (uint64_t n = random.below(10); n > 0; --n) written += put(writer, 1 + random.below(50)) ? 1 : 0;
    writer.publish();
    if (random.one_in(2)) continue;
    const Taken taken = take_all(reader, stream.view(), next);
    REQUIRE(taken.sound);
    if (taken.last == Step::lagged) {
      REQUIRE(writer.published() - reader.position() > kRing - record_bytes(50));
      reader.skip_to(writer.published());
      next = writer.count() + 1;
      continue;
    }
    REQUIRE(taken.last == Step::end);
  }
  CHECK(writer.count() == written);
}

TEST_CASE("outbox: a reader exactly as far behind as the ring is long, and further") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  constexpr uint64_t kWords = 4;
  constexpr uint64_t kRecords = kRing / record_bytes(kWords);
  for (uint64_t i = 0; i < kRecords; ++i) REQUIRE(put(writer, kWords));
  writer.publish();
  OutboxReader reader(kMaximum);
  uint64_t next = 1;
  SUBCASE("nothing is lost at the limit") {
    const Taken taken = take_all(reader, stream.view(), next);
    CHECK(taken.records == kRecords);
    CHECK(taken.sound);
  }
  SUBCASE("one record more has overwritten the first") {
    REQUIRE(put(writer, kWords));
    writer.publish();
    CHECK(reader.next(stream.view()) == Step::lagged);
    CHECK(reader.position() == 0);
    reader.skip_to(record_bytes(kWords));
    next = 2;
    const Taken taken = take_all(reader, stream.view(), next);
    CHECK(taken.records == kRecords);
    CHECK(taken.sound);
  }
  SUBCASE("so has one that is only reserved") {
    REQUIRE(writer.reserve(kWords) != nullptr);
    CHECK(reader.next(stream.view()) == Step::lagged);
    reader.skip_to(record_bytes(kWords));
    CHECK(reader.next(stream.view()) == Step::record);
  }
  SUBCASE("so has one that is only committed") {
    REQUIRE(put(writer, kWords));
    CHECK(reader.next(stream.view()) == Step::lagged);
  }
  SUBCASE("a ring length further") {
    for (uint64_t i = 0; i < kRecords; ++i) {
      REQUIRE(put(writer, kWords));
      writer.publish();
    }
    CHECK(reader.next(stream.view()) == Step::lagged);
    reader.skip_to(kRing);
    next = kRecords + 1;
    CHECK(take_all(reader, stream.view(), next).records == kRecords);
  }
}

TEST_CASE("outbox: space that was reserved and not used was overwritten all the same") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  while (writer.written() < kRing) {
    REQUIRE(put(writer, 4));
    writer.publish();
  }
  const uint64_t old_end = writer.published();
  // A frame builds in much more space than it needs in the end, twice.
  REQUIRE(put(writer, 1, 200));
  REQUIRE(put(writer, 1, 1));
  writer.publish();
  // What the first reservation has zeroed lies before `reserved` of the second one.
  for (uint64_t position = writer.published() - kRing; position < old_end; position += 8) {
    if (position % record_bytes(4) != 0) continue;
    CAPTURE(position);
    OutboxReader reader(kMaximum);
    reader.skip_to(position);
    const Step step = reader.next(stream.view());
    if (position < record_bytes(200)) {
      CHECK(step == Step::lagged);
    } else {
      CHECK(step == Step::record);
      CHECK(whole(reader));
    }
  }
}

TEST_CASE("outbox: a record that is overwritten while it is copied is not accepted") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  constexpr uint64_t kLong = kPageBytes / 8;  // from the first page into the second
  REQUIRE(put(writer, kLong));
  while (writer.written() + record_bytes(3) <= kRing) REQUIRE(put(writer, 3));
  writer.publish();
  const StreamView view = stream.view();
  const std::byte* second_page = stream.view_ring() + kPageBytes;
  OutboxReader reader(kMaximum);
  bool overwritten = false;
  auto look = [&](const std::function<void()>& meanwhile) {
    const FirstTouch touch(second_page, [&] {
      meanwhile();
      overwritten = true;
    });
    return reader.next(view);
  };
  SUBCASE("by a reservation") {
    CHECK(look([&] { (void)writer.reserve(1); }) == Step::lagged);
  }
  SUBCASE("by records that are published") {
    CHECK(look([&] {
            for (int i = 0; i < 20; ++i) (void)put(writer, 4);
            writer.publish();
          }) == Step::lagged);
  }
  SUBCASE("by whole rings of them, until the same place is written again") {
    CHECK(look([&] {
            for (uint64_t end = writer.written() + 3 * kRing; writer.written() < end;) {
              (void)put(writer, kLong);
              writer.publish();
            }
          }) == Step::lagged);
  }
  SUBCASE("but it is, if nothing was written meanwhile") {
    REQUIRE(look([] {}) == Step::record);
    CHECK(whole(reader));
    CHECK(reader.position() == record_bytes(kLong));
  }
  SUBCASE("but it is, if something else was written meanwhile") {
    reader.skip_to(0);
    Stream other;
    CHECK(look([&] {
            OutboxWriter elsewhere = other.writer();
            elsewhere.start_at(0, 0);
            (void)put(elsewhere, 10);
          }) == Step::record);
    CHECK(whole(reader));
  }
  CHECK(overwritten);
}

TEST_CASE("outbox: a view that is older than what was read") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(1000, 5);
  OutboxReader reader(kMaximum);
  reader.skip_to(1008);
  CHECK(reader.next(stream.view()) == Step::ahead);
  reader.skip_to(1000);
  CHECK(reader.next(stream.view()) == Step::end);
  reader.skip_to(992);
  CHECK(reader.next(stream.view()) == Step::lagged);
  reader.skip_to(UINT64_MAX);
  CHECK(reader.next(stream.view()) == Step::ahead);
}

TEST_CASE("outbox: before the first position that this ring ever had there is nothing") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(1000, 5);
  REQUIRE(put(writer, 2));
  writer.publish();
  OutboxReader reader(kMaximum);
  reader.skip_to(952);  // a record's place in the ring before
  CHECK(reader.next(stream.view()) == Step::lagged);
  reader.skip_to(1000);
  CHECK(reader.next(stream.view()) == Step::record);
  CHECK(reader.header().sequence == 6);
}

TEST_CASE("outbox: what an earlier ring had is readable in the next one, until it is overwritten") {
  Stream earlier;
  OutboxWriter before = earlier.writer();
  before.start_at(0, 0);
  uint64_t read_to = 0;
  uint64_t next = 0;
  // More than once round the ring, with a reader who has stopped somewhere in the last quarter of it.
  while (before.written() < 2 * kRing) {
    REQUIRE(put(before, 3));
    before.publish();
    if (before.written() < 2 * kRing - kRing / 4) {
      read_to = before.written();
      next = before.count() + 1;
    }
  }
  Stream later;
  OutboxWriter after = later.writer();
  after.start_at(before.written(), before.count());
  SUBCASE("from where a reader is") {
    after.take_over(read_to, before.at(read_to));
    CHECK(later.words().begin == read_to);
  }
  SUBCASE("from further back than there is room for") {
    Stream small(kPageBytes);
    OutboxWriter to = small.writer();
    to.start_at(before.written(), before.count());
    to.take_over(before.written() - kRing, before.at(before.written() - kRing));
    CHECK(small.words().begin == before.written() - kPageBytes);
    after.take_over(read_to, before.at(read_to));
  }
  SUBCASE("nothing at all") {
    after.take_over(before.written(), before.at(before.written()));
    CHECK(later.words().begin == before.written());
    return;
  }
  REQUIRE(put(after, 5));
  after.publish();
  OutboxReader reader(kMaximum);
  reader.skip_to(read_to);
  const Taken taken = take_all(reader, later.view(), next);
  CHECK(taken.sound);
  CHECK(taken.last == Step::end);
  CHECK(next == after.count() + 1);
  // One who is as far back, later, is told that it is too late.
  while (after.written() - read_to <= kRing) {
    REQUIRE(put(after, 3));
    after.publish();
  }
  reader.skip_to(read_to);
  CHECK(reader.next(later.view()) == Step::lagged);
}

TEST_CASE("hostile outbox: a record's header that cannot be") {
  Stream stream;
  constexpr uint64_t kLimit = 1024;
  for (const uint64_t position : {uint64_t{0}, kRing - 8, kRing - 32, 9 * kRing + 4096}) {
    CAPTURE(position);
    OutboxReader reader(kLimit);
    auto look = [&](uint64_t bytes, uint64_t available) {
      stream.put(position, {static_cast<uint32_t>(bytes), 0, 1, 2, 0}, position + available);
      reader.skip_to(position);
      const Step step = reader.next(stream.view());
      if (step != Step::record) CHECK(reader.position() == position);
      return step;
    };
    CHECK(look(40, 4096) == Step::record);
    CHECK(look(kLimit, 4096) == Step::record);
    CHECK(look(48, 48) == Step::record);
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{8}, uint64_t{31}, uint64_t{32}, uint64_t{33}, uint64_t{39}, uint64_t{41},
                                 kLimit - 1, kLimit + 8, kRing, uint64_t{UINT32_MAX} - 7, uint64_t{UINT32_MAX}}) {
      CAPTURE(bytes);
      CHECK(look(bytes, 4096) == Step::corrupt);
    }
    CHECK(look(56, 48) == Step::corrupt);
    for (const uint64_t available : {1, 8, 31, 39}) CHECK(look(40, available) == Step::corrupt);
  }
}

TEST_CASE("hostile outbox: words of the stream that cannot be") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  for (int i = 0; i < 10; ++i) REQUIRE(put(writer, 4));
  writer.publish();
  OutboxReader reader(kMaximum);
  SUBCASE("published far beyond the ring") {
    stream.words().published.store(UINT64_MAX);
    CHECK(reader.next(stream.view()) == Step::lagged);
  }
  SUBCASE("published inside of a record") {
    stream.words().published.store(20);
    CHECK(reader.next(stream.view()) == Step::corrupt);
  }
  SUBCASE("reserved far ahead, or behind the reader") {
    stream.words().reserved.store(kRing + 1);
    CHECK(reader.next(stream.view()) == Step::lagged);
    reader.skip_to(record_bytes(4));
    stream.words().reserved.store(8);
    CHECK(reader.next(stream.view()) == Step::lagged);
  }
  SUBCASE("begun behind its end") {
    stream.words().begin.store(UINT64_MAX);
    CHECK(reader.next(stream.view()) == Step::lagged);
  }
}

TEST_CASE("hostile outbox: a sound record between words") {
  Stream stream;
  stream.put(4, {40, 0, 1, 7, kEveryone}, 4 + 40);
  OutboxReader reader(kMaximum);
  reader.skip_to(4);
  CHECK(reader.next(stream.view()) == Step::corrupt);
  CHECK(reader.position() == 4);
}

TEST_CASE("outbox: no bit of a published record flips unnoticed") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  for (int i = 0; i < 3; ++i) REQUIRE(put(writer, 4));
  writer.publish();
  OutboxReader reader(kMaximum);
  const uint64_t second = record_bytes(4);
  for (uint64_t bit = 0; bit < second * 8; ++bit) {
    CAPTURE(bit);
    std::byte& flipped = stream.ring()[second + bit / 8];
    const std::byte mask = std::byte{1} << bit % 8;
    flipped ^= mask;
    reader.skip_to(second);
    const Step step = reader.next(stream.view());
    CHECK((step == Step::damaged || step == Step::corrupt));
    CHECK(reader.position() == second);
    flipped ^= mask;
    CHECK(reader.next(stream.view()) == Step::record);
    CHECK(whole(reader));
  }
}

TEST_CASE("outbox: records of a writer that knew no check are read") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  REQUIRE(put(writer, 4));
  writer.publish();
  std::memset(stream.ring() + offsetof(RecordHeader, check), 0, sizeof(uint32_t));
  OutboxReader reader(kMaximum);
  CHECK(reader.next(stream.view()) == Step::record);
  CHECK(whole(reader));
}

TEST_CASE("outbox: what a frame gave has the same hash, published or not") {
  // An incarnation that runs it again compares with what its predecessor wrote down, which may have known no check.
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  REQUIRE(put(writer, 4));
  const uint64_t hash = writer.pending_hash();
  writer.publish();
  std::vector<std::byte> published(stream.ring(), stream.ring() + record_bytes(4));
  std::memset(published.data() + offsetof(RecordHeader, check), 0, sizeof(uint32_t));
  CHECK(XXH3_64bits(published.data(), published.size()) == hash);
}

TEST_CASE("hostile outbox: garbage of every kind is read without harm") {
  Random random(test_seed());
  Stream stream;
  for (int round = 0; round < 10'000; ++round) {
    const uint64_t position = (random() >> random.below(60)) / 8 * 8;
    const uint64_t published = random.one_in(4) ? random() : position + random.below(kRing + 64);
    const RecordHeader header{static_cast<uint32_t>(random() >> random.below(64)), 0, random(), random(), random()};
    stream.put(position, header, published);
    if (random.one_in(4)) stream.words().reserved.store(random());
    stream.words().begin.store(random.one_in(4) ? random() : 0);
    OutboxReader reader(kMaximum);
    reader.skip_to(position);
    for (uint64_t steps = 0; reader.next(stream.view()) == Step::record; ++steps) {
      REQUIRE(reader.word_count() * 8 + kRecordHeaderBytes <= kMaximum);
      REQUIRE(steps <= kRing / 40);
    }
    REQUIRE((reader.position() >= position && reader.position() - position <= kRing));
  }
}

TEST_CASE("outbox: full exactly at the limit of what is not published") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(40, 1);
  constexpr uint64_t kRecords = kRing / record_bytes(4);
  for (uint64_t i = 0; i < kRecords; ++i) REQUIRE(put(writer, 4));
  const Image before = image_of(stream.data(), stream.bytes());
  CHECK(writer.reserve(0) == nullptr);
  CHECK(writer.reserve(1) == nullptr);
  CHECK(writer.reserve(kRing) == nullptr);
  CHECK(image_of(stream.data(), stream.bytes()) == before);
  writer.publish();
  REQUIRE(put(writer, 4));
  writer.publish();
  OutboxReader reader(kMaximum);
  reader.skip_to(40 + record_bytes(4));
  uint64_t next = 3;
  const Taken taken = take_all(reader, stream.view(), next);
  CHECK(taken.records == kRecords);
  CHECK(taken.sound);
  SUBCASE("one record as large as the ring") {
    CHECK(writer.reserve(record_words(kRing) + 1) == nullptr);
    REQUIRE(put(writer, record_words(kRing)));
    writer.publish();
    CHECK(reader.next(stream.view()) == Step::record);
    CHECK(whole(reader));
  }
}

TEST_CASE("outbox: what is kept is not overwritten") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(0, 0);
  writer.keep_from(0);
  constexpr uint64_t kRecords = kRing / record_bytes(4);
  for (uint64_t i = 0; i < kRecords; ++i) {
    REQUIRE(put(writer, 4));
    writer.publish();
  }
  CHECK_FALSE(put(writer, 4));
  CHECK_FALSE(put(writer, 1));
  OutboxReader reader(kMaximum);
  uint64_t next = 1;
  CHECK(take_all(reader, stream.view(), next).records == kRecords);

  writer.keep_from(record_bytes(4) - 8);
  CHECK_FALSE(put(writer, 4));
  writer.keep_from(record_bytes(4));
  CHECK(put(writer, 4));
  CHECK_FALSE(put(writer, 1));
  writer.publish();
  const Taken taken = take_all(reader, stream.view(), next);
  CHECK(taken.records == 1);
  CHECK(taken.sound);

  SUBCASE("what is not published yet is kept in any case") {
    writer.keep_from(UINT64_MAX);
    for (uint64_t i = 0; i < kRecords; ++i) REQUIRE(put(writer, 4));
    CHECK_FALSE(put(writer, 1));
  }
  SUBCASE("all of it acknowledged") {
    writer.keep_from(writer.published());
    for (uint64_t i = 0; i < kRecords; ++i) {
      REQUIRE(put(writer, 4));
      writer.publish();
    }
    CHECK_FALSE(put(writer, 1));
  }
}

TEST_CASE("outbox: the hash of what is pending") {
  Stream stream;
  OutboxWriter writer = stream.writer();
  writer.start_at(kRing - 64, 7);  // the second record lies over the edge
  const uint64_t of_nothing = XXH3_64bits(nullptr, 0);
  CHECK(writer.pending_hash() == of_nothing);
  REQUIRE(put(writer, 3));
  const uint64_t of_one = writer.pending_hash();
  CHECK(of_one != of_nothing);
  REQUIRE(put(writer, 30));
  const uint64_t of_two = writer.pending_hash();
  CHECK(of_two == XXH3_64bits(writer.at(writer.published()), writer.written() - writer.published()));
  CHECK(of_two != of_one);
  writer.publish();
  CHECK(writer.pending_hash() == of_nothing);

  SUBCASE("is the same in a ring of another size, and however much was reserved") {
    Stream larger(8 * kPageBytes);
    std::memset(larger.ring(), 0x55, 8 * kPageBytes);
    OutboxWriter again = larger.writer();
    again.start_at(kRing - 64, 7);
    REQUIRE(put(again, 3, 100));
    CHECK(again.pending_hash() == of_one);
    REQUIRE(put(again, 30, 100));
    CHECK(again.pending_hash() == of_two);
  }
  SUBCASE("is another for other sequence numbers, types, audiences or words") {
    auto hash_of = [](uint64_t count, uint64_t type, uint64_t party, uint64_t word) {
      Stream own;
      OutboxWriter w = own.writer();
      w.start_at(0, count);
      *static_cast<uint64_t*>(w.reserve(1)) = word;
      w.commit(type, party, 1);
      return w.pending_hash();
    };
    const uint64_t hash = hash_of(1, 2, 3, 4);
    CHECK(hash_of(1, 2, 3, 4) == hash);
    CHECK(hash_of(0, 2, 3, 4) != hash);
    CHECK(hash_of(1, 0, 3, 4) != hash);
    CHECK(hash_of(1, 2, 0, 4) != hash);
    CHECK(hash_of(1, 2, 3, 0) != hash);
  }
}

TEST_CASE("outbox: frames that are run again come to lie where they were, in every incarnation") {
  Random random(test_seed());
  // What each frame gives is decided by its number alone.
  struct Place {
    uint64_t position;
    uint64_t count;
  };
  auto run_frame = [](OutboxWriter& writer, uint64_t frame) {
    Random sizes(frame);
    for (uint64_t n = sizes.below(6); n > 0; --n) REQUIRE(put(writer, 1 + sizes.below(40), 1 + 40));
    const uint64_t hash = writer.pending_hash();
    writer.publish();
    return hash;
  };
  Stream first(8 * kPageBytes);
  OutboxWriter writer = first.writer();
  writer.start_at(0, 0);
  std::map<uint64_t, Place> after;  // frame: where its outputs end
  std::map<uint64_t, uint64_t> hashes;
  constexpr uint64_t kFrames = 60;
  after[0] = {0, 0};
  OutboxReader reader(kMaximum);
  uint64_t next = 1;
  for (uint64_t frame = 1; frame <= kFrames; ++frame) {
    hashes[frame] = run_frame(writer, frame);
    after[frame] = {writer.published(), writer.count()};
    if (frame == kFrames / 2) {
      REQUIRE(take_all(reader, first.view(), next).sound);  // this reader has read half of it
    }
  }
  for (int incarnation = 0; incarnation < 20; ++incarnation) {
    const uint64_t snapshot = kFrames - random.below(20);
    CAPTURE(snapshot);
    Stream second((2 + 2 * random.below(2)) * kPageBytes);
    OutboxWriter again = second.writer();
    again.start_at(after[snapshot].position, after[snapshot].count);
    OutboxReader fast(kMaximum);  // has read all of it already
    fast.skip_to(after[kFrames].position);
    uint64_t fast_next = after[kFrames].count + 1;
    for (uint64_t frame = snapshot + 1; frame <= kFrames; ++frame) {
      CHECK(fast.next(second.view()) == (after[frame - 1].position == fast.position() ? Step::end : Step::ahead));
      CHECK(run_frame(again, frame) == hashes[frame]);
      CHECK(again.published() == after[frame].position);
      CHECK(again.count() == after[frame].count);
    }
    // The old ring was read to its end; the new one goes on there.
    OutboxReader slow(kMaximum);
    slow.skip_to(after[kFrames / 2].position);
    uint64_t slow_next = after[kFrames / 2].count + 1;
    CHECK(take_all(slow, first.view(), slow_next).sound);
    CHECK(slow.position() == after[kFrames].position);
    run_frame(again, kFrames + 1);
    CHECK(take_all(slow, second.view(), slow_next).sound);
    CHECK(take_all(fast, second.view(), fast_next).sound);
    CHECK(slow.position() == again.published());
    CHECK(fast.position() == again.published());
    CHECK(slow_next == fast_next);
  }
}

TEST_CASE("torn outbox: after every prefix of the stores of a record, in any order, a reader gets old records or is lagged") {
  Random random(test_seed());
  constexpr uint64_t kWords = 20;
  for (uint64_t shift = 0; shift <= record_bytes(kWords); shift += 8) {
    CAPTURE(shift);
    Stream stream;
    OutboxWriter writer = stream.writer();
    writer.start_at(0, 0);
    REQUIRE(put(writer, 1 + shift / 8));
    while (writer.written() + record_bytes(kWords) <= 2 * kRing) {
      REQUIRE(put(writer, kWords));
      writer.publish();
    }
    const uint64_t old_end = writer.published();
    const uint64_t old_count = writer.count();
    const uint64_t oldest = old_count - (kRing / record_bytes(kWords)) + 1;  // of the records that are still whole
    const Image before = image_of(stream.data(), stream.bytes());
    // `reserved` is the first store of all; its own test is the reservation above.
    stream.words().reserved.store(old_end + record_bytes(kWords));
    const Image reserved = image_of(stream.data(), stream.bytes());
    REQUIRE(put(writer, kWords));
    const Image written = image_of(stream.data(), stream.bytes());
    writer.publish();
    const Image after = image_of(stream.data(), stream.bytes());
    const auto stores = stores_between(reserved, written);
    REQUIRE(stores.size() >= kWords);

    auto check = [&](uint64_t expected_count) {
      for (uint64_t sequence = oldest; sequence <= old_count; ++sequence) {
        OutboxReader reader(kMaximum);
        reader.skip_to(old_end - (old_count - sequence + 1) * record_bytes(kWords));
        uint64_t next = sequence;
        const Taken taken = take_all(reader, stream.view(), next);
        if (!taken.sound || (taken.last != Step::end && taken.last != Step::lagged)) return false;
        if (taken.last == Step::end && next != expected_count + 1) return false;
        if (sequence > oldest && taken.last != Step::end) return false;  // only the oldest is being overwritten
      }
      return true;
    };
    for (const auto& order : orders_of(stores, random)) {
      std::memcpy(stream.data(), before.data(), before.size());
      REQUIRE(check(old_count));
      std::memcpy(stream.data(), reserved.data(), reserved.size());
      REQUIRE(check(old_count));
      for (const WordStore& store : order) {
        do_store(stream.data(), store);
        REQUIRE(check(old_count));
      }
      for (const WordStore& store : stores_between(written, after)) do_store(stream.data(), store);
      REQUIRE(check(old_count + 1));
    }
  }
}

TEST_CASE("outbox stress: a reader never accepts a torn record, however often the writer overtakes it") {
  const uint64_t seed = test_seed();
  Stream stream;
  constexpr uint64_t kRecords = 60'000;
  constexpr uint64_t kMeeting =
      2000;  // after so many records the writer lets the reader come to the end, and gives it one more
  const Shared<std::atomic<uint64_t>> read_up_to;
  stream.writer().start_at(0, 0);
  Child arena([&] {
    OutboxWriter writer = stream.writer();
    Random random(seed);
    const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
    auto meet = [&] {
      writer.publish();
      while (read_up_to->load(std::memory_order_acquire) != writer.published()) {
        if (monotonic_ns() > deadline_ns) return false;
        ::sched_yield();
      }
      return true;
    };
    for (uint64_t i = 1; i <= kRecords; ++i) {
      const uint64_t words = 1 + random.below(60);
      if (!put(writer, words, words + random.below(100))) writer.publish();
      if (random.one_in(3)) writer.publish();
      if (i % kMeeting != 0) continue;
      if (!meet() || !put(writer, 1) || !meet()) return 1;
    }
    return kChildFine;
  });
  OutboxReader reader(kMaximum);
  const StreamView view = stream.view();
  uint64_t next = 1;
  uint64_t accepted = 0;
  uint64_t lags = 0;
  bool sound = true;
  while (sound && !arena.ended()) {
    // A ring's length behind is where a record may be overwritten at any moment.
    for (int spin = 0; spin < 2000 && view.published.load(std::memory_order_relaxed) - reader.position() < kRing * 7 / 8;
         ++spin) {
    }
    const Taken taken = take_all(reader, view, next);
    accepted += taken.records;
    sound = taken.sound && (taken.last == Step::end || taken.last == Step::lagged);
    if (taken.last == Step::lagged) {
      ++lags;
      reader.skip_to(view.published.load(std::memory_order_acquire));
      next = 0;
    }
    read_up_to->store(reader.position(), std::memory_order_release);
  }
  CAPTURE(lags);
  CHECK(accepted >= kRecords / kMeeting);
  REQUIRE(sound);
  CHECK(arena.fine());
}
