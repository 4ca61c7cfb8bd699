// Snapshots: what was written comes back exactly, and what is not whole is never taken for anything.
#include "state/snapshot.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <xxhash.h>

#include "ipc/limits.h"
#include "ipc/record.h"
#include "ipc/region.h"
#include "tests/support/child.h"
#include "tests/support/first_touch.h"
#include "tests/support/seed.h"
#include "tests/support/stores.h"

namespace {

using namespace arenad;
using namespace arenad::test;

constexpr ArenaId kArena = {0x0191'0000'0000'0001, 0xFEDC};

SnapshotFacts facts_of(uint64_t frame, ArenaId arena = kArena) {
  return {.arena = arena,
          .epoch = {3},
          .frame = {frame},
          .time_unix_ns = mix(frame, 1),
          .outputs_position = mix(frame, 2) / 8 * 8,
          .outputs_count = mix(frame, 3),
          .system_position = mix(frame, 4) / 8 * 8,
          .system_count = mix(frame, 5),
          .state_type = mix(frame, 6),
          .schema_hash = mix(frame, 7),
          .tick_hz = 20,
          .max_players = 30,
          .game = "tanks",
          .game_version = "1.2.3",
          .events_applied = mix(frame, 8),
          .events_rejected = mix(frame, 9)};
}

bool same(const SnapshotFacts& a, const SnapshotFacts& b) {
  return a.arena == b.arena && a.epoch == b.epoch && a.frame == b.frame && a.time_unix_ns == b.time_unix_ns &&
         a.outputs_position == b.outputs_position && a.outputs_count == b.outputs_count &&
         a.system_position == b.system_position && a.system_count == b.system_count && a.state_type == b.state_type &&
         a.schema_hash == b.schema_hash && a.tick_hz == b.tick_hz && a.max_players == b.max_players && a.game == b.game &&
         a.game_version == b.game_version && a.events_applied == b.events_applied && a.events_rejected == b.events_rejected;
}

std::vector<ChannelAt> channels_of(size_t count, uint64_t frame = 0) {
  std::vector<ChannelAt> channels(count);
  for (size_t i = 0; i < count; ++i) {
    channels[i] = {.channel = {1000 + i},
                   .slot = static_cast<Seat>(i),
                   .position = mix(frame, i),
                   .next_sequence = mix(frame, i + 1),
                   .player = std::string(i % (limits::kMaxPlayerNameBytes + 1), static_cast<char>('a' + i % 26))};
  }
  return channels;
}

bool same(const std::vector<ChannelAt>& a, const std::vector<ChannelAt>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ChannelAt& x, const ChannelAt& y) {
    return x.channel == y.channel && x.slot == y.slot && x.position == y.position && x.next_sequence == y.next_sequence &&
           x.player == y.player;
  });
}

uint64_t state_word(uint64_t frame, uint64_t i) {
  return mix(frame, i + 1'000'000);
}

// A slot in private memory, aligned as a region's is.
class Slot {
 public:
  explicit Slot(uint64_t bytes) : words_(bytes / 8) {}
  [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(words_)); }
  [[nodiscard]] std::byte* data() { return bytes().data(); }
  [[nodiscard]] Image image() { return image_of(data(), bytes().size()); }
  void set(const Image& image) { std::memcpy(data(), image.data(), image.size()); }
  void set_published(uint64_t frame_plus_one) { std::memcpy(data(), &frame_plus_one, 8); }
  Result<Snapshot> read() { return Snapshot::read_slot(bytes()); }

 private:
  std::vector<uint64_t> words_;
};

uint64_t write(SlotWriter& writer, const SnapshotFacts& facts, const std::vector<ChannelAt>& channels, uint64_t state_words) {
  const std::span<std::byte> space = writer.begin(facts, channels);
  REQUIRE(space.size() >= state_words * 8);
  for (uint64_t i = 0; i < state_words; ++i) {
    const uint64_t word = state_word(facts.frame.value, i);
    std::memcpy(space.data() + i * 8, &word, 8);
  }
  return writer.publish(state_words);
}

bool state_is(const Snapshot& snapshot, uint64_t state_words) {
  if (snapshot.state_words() != state_words) return false;
  const auto* words = static_cast<const uint64_t*>(snapshot.state());
  for (uint64_t i = 0; i < state_words; ++i) {
    if (words[i] != state_word(snapshot.facts().frame.value, i)) return false;
  }
  return true;
}

bool is(const Result<Snapshot>& snapshot, const SnapshotFacts& facts, const std::vector<ChannelAt>& channels,
        uint64_t state_words) {
  return snapshot.ok() && same(snapshot.value().facts(), facts) && same(snapshot.value().channels(), channels) &&
         state_is(snapshot.value(), state_words);
}

bool corrupt(const Result<Snapshot>& snapshot) {
  return !snapshot.ok() && snapshot.error().code == ErrorCode::corrupt && !snapshot.error().message.empty();
}

// The rule of the layout, on its own: XXH3 of the whole with the field taken as 0, header first.
void seal_snapshot(std::string& bytes) {
  std::memset(bytes.data() + offsetof(SnapshotHeader, checksum), 0, 8);
  const uint64_t head = XXH3_64bits(bytes.data(), sizeof(SnapshotHeader));
  const uint64_t checksum =
      XXH3_64bits_withSeed(bytes.data() + sizeof(SnapshotHeader), bytes.size() - sizeof(SnapshotHeader), head);
  std::memcpy(bytes.data() + offsetof(SnapshotHeader, checksum), &checksum, 8);
}

std::string bytes_of(const SnapshotFacts& facts, const std::vector<ChannelAt>& channels, uint64_t state_words) {
  Slot slot(slot_bytes_for(state_words * 8));
  SlotWriter writer(slot.bytes());
  write(writer, facts, channels, state_words);
  auto snapshot = slot.read();
  REQUIRE(snapshot.ok());
  return std::string(snapshot->bytes());
}

SnapshotHeader& header_in(std::string& bytes) {
  return *reinterpret_cast<SnapshotHeader*>(bytes.data());
}

}  // namespace

TEST_CASE("snapshot: what was written comes back") {
  for (const size_t channel_count : {0, 1, 2, 30, 127, 128}) {
    for (const uint64_t state_words : {0, 1, 2, 1000}) {
      CAPTURE(channel_count);
      CAPTURE(state_words);
      Slot slot(slot_bytes_for(state_words * 8));
      SlotWriter writer(slot.bytes());
      const auto channels = channels_of(channel_count);
      const uint64_t bytes = write(writer, facts_of(41), channels, state_words);
      CHECK(published_frame(slot.bytes()) == FrameNumber{41});
      const auto snapshot = slot.read();
      REQUIRE(is(snapshot, facts_of(41), channels, state_words));
      CHECK(snapshot.value().bytes().size() == bytes);
      // The same bytes in the database, or in a recording.
      CHECK(is(Snapshot::parse(snapshot.value().bytes()), facts_of(41), channels, state_words));
      CHECK(Snapshot::parse(std::string(snapshot.value().bytes()))->bytes() == snapshot.value().bytes());
    }
  }
}

TEST_CASE("snapshot: frame 0, and the last frame that can be told") {
  Slot slot(slot_bytes_for(8));
  SlotWriter writer(slot.bytes());
  CHECK_FALSE(published_frame(slot.bytes()));
  write(writer, facts_of(0), {}, 1);
  CHECK(published_frame(slot.bytes()) == FrameNumber{0});
  CHECK(is(slot.read(), facts_of(0), {}, 1));
  write(writer, facts_of(UINT64_MAX - 1), {}, 1);
  CHECK(published_frame(slot.bytes()) == FrameNumber{UINT64_MAX - 1});
  CHECK(is(slot.read(), facts_of(UINT64_MAX - 1), {}, 1));
}

TEST_CASE("snapshot: a slot holds the largest state with every channel and the longest names") {
  for (const uint64_t state_bytes :
       {uint64_t{0}, uint64_t{1}, uint64_t{8}, kPageBytes - 8, kPageBytes, kPageBytes + 1, uint64_t{1} << 20}) {
    CAPTURE(state_bytes);
    const uint64_t slot_bytes = slot_bytes_for(state_bytes);
    CHECK(slot_bytes % kPageBytes == 0);
    Slot slot(slot_bytes);
    SlotWriter writer(slot.bytes());
    auto channels = channels_of(limits::kMaxSlots);
    for (ChannelAt& channel : channels) channel.player = std::string(limits::kMaxPlayerNameBytes, 'n');
    const uint64_t words = round_up(state_bytes, 8) / 8;
    write(writer, facts_of(7), channels, words);
    CHECK(is(slot.read(), facts_of(7), channels, words));
    // all that is left of the slot
    const uint64_t all = writer.begin(facts_of(8), channels).size() / 8;
    CHECK(all >= words);
    write(writer, facts_of(8), channels, all);
    CHECK(is(slot.read(), facts_of(8), channels, all));
  }
  CHECK(slot_bytes_for(limits::kMaxStateBytes) > limits::kMaxStateBytes);
}

TEST_CASE("snapshot: names longer than there is room for are cut") {
  Slot slot(slot_bytes_for(8));
  SlotWriter writer(slot.bytes());
  SnapshotFacts facts = facts_of(1);
  facts.game = std::string(31, 'g');
  facts.game_version = std::string(100, 'v');
  auto channels = channels_of(1);
  channels[0].player = std::string(limits::kMaxPlayerNameBytes + 1, 'p');
  write(writer, facts, channels, 1);
  const auto snapshot = slot.read();
  REQUIRE(snapshot.ok());
  CHECK(snapshot.value().facts().game == facts.game);
  CHECK(snapshot.value().facts().game_version == std::string(31, 'v'));
  CHECK(snapshot.value().channels()[0].player == std::string(limits::kMaxPlayerNameBytes, 'p'));
}

TEST_CASE("snapshot: the space for the state is zeroed, whatever was there") {
  Slot slot(slot_bytes_for(4096));
  SlotWriter writer(slot.bytes());
  auto dirty = [](std::span<const std::byte> space) {
    return std::any_of(space.begin(), space.end(), [](std::byte b) { return b != std::byte{0}; });
  };
  CHECK_FALSE(dirty(writer.begin(facts_of(1), channels_of(3))));
  write(writer, facts_of(1), channels_of(100), 512);
  CHECK_FALSE(dirty(writer.begin(facts_of(2), channels_of(0))));
  SUBCASE("also after a snapshot that was given up") {
    auto space = writer.begin(facts_of(3), channels_of(128));
    std::memset(space.data(), 0xEE, space.size());
    CHECK_FALSE(dirty(writer.begin(facts_of(4), channels_of(0))));
  }
  SUBCASE("also after one that was larger than the next") {
    write(writer, facts_of(3), channels_of(128), 512);
    write(writer, facts_of(4), channels_of(0), 1);
    CHECK_FALSE(dirty(writer.begin(facts_of(5), channels_of(0))));
  }
}

TEST_CASE("snapshot: given up is not published") {
  Slot slot(slot_bytes_for(64));
  SlotWriter writer(slot.bytes());
  CHECK(corrupt(slot.read()));
  writer.begin(facts_of(1), channels_of(1));
  CHECK_FALSE(published_frame(slot.bytes()));
  CHECK(corrupt(slot.read()));
  write(writer, facts_of(2), channels_of(1), 8);
  writer.begin(facts_of(3), channels_of(1));
  CHECK_FALSE(published_frame(slot.bytes()));
  CHECK(corrupt(slot.read()));
  write(writer, facts_of(4), channels_of(1), 8);
  CHECK(is(slot.read(), facts_of(4), channels_of(1), 8));
}

TEST_CASE("snapshot: every byte that changes makes it corrupt") {
  for (const size_t channel_count : {0, 3, 128}) {
    for (const uint64_t state_words : {0, 20}) {
      CAPTURE(channel_count);
      CAPTURE(state_words);
      const auto channels = channels_of(channel_count);
      Slot slot(slot_bytes_for(state_words * 8));
      SlotWriter writer(slot.bytes());
      const uint64_t bytes = write(writer, facts_of(9), channels, state_words);
      const uint64_t end = sizeof(SlotHeader) + bytes;
      for (uint64_t at = 0; at < end; ++at) {
        // Each bit of the fixed parts; of the long rest, one for each byte.
        const bool fixed = at < sizeof(SlotHeader) + sizeof(SnapshotHeader);
        for (int bit = fixed ? 0 : static_cast<int>(at % 8); bit < 8; bit += fixed ? 1 : 8) {
          slot.data()[at] ^= std::byte(1u << bit);
          const auto snapshot = slot.read();
          // The rest of the slot's own header says nothing and is not looked at.
          const bool unused = at >= 8 && at < sizeof(SlotHeader);
          const bool expected = unused ? is(snapshot, facts_of(9), channels, state_words) : corrupt(snapshot);
          slot.data()[at] ^= std::byte(1u << bit);
          if (!expected) FAIL("byte ", at, " bit ", bit);
        }
      }
      slot.data()[end] ^= std::byte{1};  // behind it there is nothing of it
      CHECK(is(slot.read(), facts_of(9), channels, state_words));
    }
  }
}

TEST_CASE("snapshot: every truncation, and everything behind it") {
  const std::string good = bytes_of(facts_of(9), channels_of(5), 20);
  for (size_t count = 0; count < good.size(); ++count) {
    if (corrupt(Snapshot::parse(std::string_view(good).substr(0, count)))) continue;
    FAIL("the first ", count, " bytes");
  }
  CHECK(corrupt(Snapshot::parse(good + '\0')));
  CHECK(corrupt(Snapshot::parse(good + std::string(8, '\0'))));
  CHECK(corrupt(Snapshot::parse(good + good)));
  CHECK(Snapshot::parse(good).ok());
}

TEST_CASE("snapshot: headers that cannot be, with a checksum that fits") {
  const std::string good = bytes_of(facts_of(9), channels_of(5), 20);
  auto with = [&](auto&& change) {
    std::string bytes = good;
    change(bytes);
    seal_snapshot(bytes);
    return Snapshot::parse(bytes);
  };
  REQUIRE(is(with([](auto&) {}), facts_of(9), channels_of(5), 20));
  auto cursor = [](std::string& bytes, size_t i) -> SnapshotCursor& {
    return reinterpret_cast<SnapshotCursor*>(bytes.data() + sizeof(SnapshotHeader))[i];
  };
  CHECK(corrupt(with([](auto& b) { header_in(b).magic ^= 1; })));
  CHECK(corrupt(with([](auto& b) { ++header_in(b).layout_version; })));
  CHECK(corrupt(with([](auto& b) { header_in(b).header_bytes = 248; })));
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{256}, good.size() - 8, good.size() + 8, UINT64_MAX}) {
    CHECK(corrupt(with([&](auto& b) { header_in(b).total_bytes = bytes; })));
  }
  for (const uint32_t count : {0u, 4u, 6u, 128u, 129u, UINT32_MAX}) {
    CHECK(corrupt(with([&](auto& b) { header_in(b).cursor_count = count; })));
  }
  for (const uint32_t bytes : {0u, 1000u, 8192u, 8193u, UINT32_MAX - 7, UINT32_MAX}) {
    CHECK(corrupt(with([&](auto& b) { header_in(b).names_bytes = bytes; })));
  }
  for (const uint64_t words :
       {uint64_t{0}, uint64_t{19}, uint64_t{21}, uint64_t{1} << 61, (uint64_t{1} << 61) + 20, UINT64_MAX}) {
    CHECK(corrupt(with([&](auto& b) { header_in(b).state_words = words; })));
  }
  for (const uint16_t slot : {uint16_t{128}, uint16_t{129}, uint16_t{UINT16_MAX}}) {
    CHECK(corrupt(with([&](auto& b) { cursor(b, 2).slot = slot; })));
  }
  // The names of all channels are 0 + 1 + 2 + 3 + 4 bytes long.
  CHECK(corrupt(with([&](auto& b) { cursor(b, 0).name_bytes = 11; })));
  CHECK(corrupt(with([&](auto& b) { cursor(b, 4).name_bytes = 5; })));
  CHECK(corrupt(with([&](auto& b) { cursor(b, 4).name_bytes = UINT16_MAX; })));
  // Where no record can begin, a reader would read between words.
  CHECK(corrupt(with([&](auto& b) { header_in(b).outputs_position += 4; })));
  CHECK(corrupt(with([&](auto& b) { header_in(b).system_position += 1; })));
  SUBCASE("names without an end, and longer than any player's") {
    const auto endless = with([](auto& b) { std::memset(header_in(b).game, 'x', sizeof header_in(b).game); });
    REQUIRE(endless.ok());
    CHECK(endless.value().facts().game == std::string(31, 'x'));
    const std::string long_name = bytes_of(facts_of(9), channels_of(limits::kMaxPlayerNameBytes + 1), 20);
    std::string longer = long_name;
    cursor(longer, limits::kMaxPlayerNameBytes).name_bytes = limits::kMaxPlayerNameBytes + 1;
    cursor(longer, 1).name_bytes = 0;
    seal_snapshot(longer);
    CHECK(corrupt(Snapshot::parse(longer)));
  }
  SUBCASE("parts that are exchanged so that the sizes still fit") {
    // One cursor of 32 bytes for four words of state: the sizes are right, and one name more than there are bytes is found.
    const auto snapshot = with([](auto& b) {
      ++header_in(b).cursor_count;
      header_in(b).state_words -= 4;
    });
    CHECK(corrupt(snapshot));
  }
}

TEST_CASE("snapshot: a slot that says another frame than its snapshot") {
  Slot slot(slot_bytes_for(64));
  SlotWriter writer(slot.bytes());
  write(writer, facts_of(9), channels_of(1), 8);
  for (const uint64_t said : {uint64_t{1}, uint64_t{9}, uint64_t{11}, UINT64_MAX}) {
    slot.set_published(said);
    CHECK(corrupt(slot.read()));
  }
  slot.set_published(10);
  CHECK(slot.read().ok());
}

TEST_CASE("snapshot: another arena's, or another epoch's, tells so") {
  const ArenaId other = {kArena.high, kArena.low + 1};
  const auto misdirected = Snapshot::parse(bytes_of(facts_of(9, other), channels_of(1), 4));
  REQUIRE(misdirected.ok());  // nothing is wrong with it, but it is not ours
  CHECK(misdirected.value().facts().arena == other);
  CHECK(misdirected.value().facts().arena != kArena);
  CHECK(misdirected.value().facts().epoch == Epoch{3});
  // And it cannot be made ours by writing our name into it.
  std::string bytes(misdirected.value().bytes());
  header_in(bytes).arena_low = kArena.low;
  CHECK(corrupt(Snapshot::parse(bytes)));
}

TEST_CASE("torn snapshot: every prefix of a new one over an old one") {
  for (const uint64_t new_words : {5, 12, 30}) {
    CAPTURE(new_words);
    Slot slot(slot_bytes_for(30 * 8));
    SlotWriter writer(slot.bytes());
    const auto old_channels = channels_of(4, 1);
    const auto new_channels = channels_of(6, 2);
    write(writer, facts_of(10), old_channels, 12);
    const Image old_image = slot.image();
    write(writer, facts_of(12), new_channels, new_words);
    const Image new_image = slot.image();
    const uint64_t end = [&] {
      size_t last = 0;
      for (size_t i = 0; i < new_image.size(); ++i) {
        if (new_image[i] != std::byte{0} || old_image[i] != std::byte{0}) last = i;
      }
      return last + 1;
    }();
    Image zeroed = old_image;
    std::fill(zeroed.begin() + sizeof(SlotHeader), zeroed.end(), std::byte{0});

    auto torn = [&](const Image& under, const Image& over, uint64_t count, uint64_t published) {
      Image image = under;
      std::copy(over.begin() + sizeof(SlotHeader), over.begin() + sizeof(SlotHeader) + static_cast<ptrdiff_t>(count),
                image.begin() + sizeof(SlotHeader));
      slot.set(image);
      slot.set_published(published);
      return slot.read();
    };
    auto whole = [&](const Image& image) {
      return std::equal(image.begin() + sizeof(SlotHeader), image.end(), slot.image().begin() + sizeof(SlotHeader));
    };
    for (uint64_t count = 0; count + sizeof(SlotHeader) <= end; ++count) {
      CAPTURE(count);
      // As the writer does it: it clears the word, then the slot, then writes.
      REQUIRE(corrupt(torn(old_image, zeroed, count, 0)));
      REQUIRE_FALSE(published_frame(slot.bytes()));
      REQUIRE(corrupt(torn(zeroed, new_image, count, 0)));
      // As if the word had not been cleared, or had been stored too soon: the checks do not depend on it.
      for (const uint64_t published : {11, 13}) {
        for (const Image* under : std::initializer_list<const Image*>{&old_image, &zeroed}) {
          const auto snapshot = torn(*under, new_image, count, published);
          if (published == 11 && whole(old_image)) {
            REQUIRE(is(snapshot, facts_of(10), old_channels, 12));
          } else if (published == 13 && whole(new_image)) {
            REQUIRE(is(snapshot, facts_of(12), new_channels, new_words));
          } else {
            // What lies behind the new one's end is not looked at: it may be whole before the rest of the old one is gone.
            const bool complete = sizeof(SnapshotHeader) <= count && is(snapshot, facts_of(12), new_channels, new_words);
            REQUIRE((complete ? published == 13 : corrupt(snapshot)));
          }
        }
        const auto clearing = torn(old_image, zeroed, count, published);
        REQUIRE((published == 11 && count == 0 ? clearing.ok() : corrupt(clearing)));
      }
    }
  }
}

TEST_CASE("torn snapshot: after every prefix of the stores of a new one, in any order, it is the new one or none") {
  Random random(test_seed());
  Slot slot(slot_bytes_for(40 * 8));
  SlotWriter writer(slot.bytes());
  write(writer, facts_of(10), channels_of(4, 1), 40);
  const Image before = slot.image();
  write(writer, facts_of(12), channels_of(6, 2), 30);
  const Image after = slot.image();
  std::vector<WordStore> stores;
  for (const WordStore& store : stores_between(before, after)) {
    if (store.offset != 0) stores.push_back(store);
  }
  for (const auto& order : orders_of(stores, random)) {
    slot.set(before);
    REQUIRE(is(slot.read(), facts_of(10), channels_of(4, 1), 40));
    slot.set_published(0);
    for (const WordStore& store : order) {
      do_store(slot.data(), store);
      REQUIRE(corrupt(slot.read()));
    }
    slot.set_published(13);
    REQUIRE(is(slot.read(), facts_of(12), channels_of(6, 2), 30));
  }
}

TEST_CASE("snapshot: one that is overwritten while it is copied is not accepted") {
  auto region = Region::create("arenad-test", slot_bytes_for(4 * kPageBytes));
  REQUIRE(region.ok());
  REQUIRE(region->seal().ok());
  auto fd = region->fd().duplicate();
  REQUIRE(fd.ok());
  const auto view = RegionView::map(std::move(*fd), kPageBytes);
  REQUIRE(view.ok());
  const std::span<const std::byte> slot = {view.value().data(), view.value().bytes()};
  SlotWriter writer({region->data(), region->bytes()});
  constexpr uint64_t kWords = 4 * kPageBytes / 8;
  write(writer, facts_of(10), channels_of(3), kWords);
  bool touched = false;
  auto look = [&](const std::function<void()>& meanwhile) {
    const FirstTouch touch(slot.data() + 2 * kPageBytes, [&] {
      meanwhile();
      touched = true;
    });
    return Snapshot::read_slot(slot);
  };
  SUBCASE("by one that is begun") {
    CHECK(corrupt(look([&] { writer.begin(facts_of(12), channels_of(3)); })));
  }
  SUBCASE("by one that is published") {
    CHECK(corrupt(look([&] { write(writer, facts_of(12), channels_of(3), kWords); })));
  }
  SUBCASE("by another one of the same frame") {
    CHECK(corrupt(look([&] { write(writer, facts_of(10), channels_of(4), kWords); })));
  }
  SUBCASE("but it is, if nothing happened meanwhile") {
    CHECK(is(look([] {}), facts_of(10), channels_of(3), kWords));
  }
  CHECK(touched);
}

TEST_CASE("hostile snapshot: garbage of every kind is refused without harm") {
  Random random(test_seed());
  const std::string good = bytes_of(facts_of(9), channels_of(5), 20);
  Slot slot(2 * kPageBytes);
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(5); n > 0; --n) {
      const uint64_t word = random() >> random.below(64);
      // mostly in the header, where the sizes are
      const uint64_t at = random.one_in(4) ? random.below(bytes.size() / 8) : random.below(sizeof(SnapshotHeader) / 8);
      std::memcpy(bytes.data() + at * 8, &word, 8);
    }
    if (random.one_in(2)) seal_snapshot(bytes);
    std::memcpy(slot.data() + sizeof(SlotHeader), bytes.data(), bytes.size());
    slot.set_published(random.one_in(2) ? header_in(bytes).frame + 1 : random());
    for (const auto& snapshot : {slot.read(), Snapshot::parse(bytes)}) {
      if (!snapshot.ok()) {
        REQUIRE(corrupt(snapshot));
        continue;
      }
      REQUIRE(snapshot.value().channels().size() <= limits::kMaxSlots);
      REQUIRE(static_cast<const char*>(snapshot.value().state()) + snapshot.value().state_words() * 8 ==
              snapshot.value().bytes().data() + snapshot.value().bytes().size());
    }
  }
}

TEST_CASE("snapshot stress: two slots, written in turn as fast as can be; what a reader accepts is always whole") {
  constexpr uint64_t kWords = 300;
  const uint64_t slot_bytes = slot_bytes_for(kWords * 8);
  auto region = Region::create("arenad-test", 2 * slot_bytes);
  REQUIRE(region.ok());
  const Shared<std::atomic<uint64_t>> seen;
  constexpr uint64_t kSnapshots = 6000;
  Child worker([&] {
    SlotWriter writers[2] = {SlotWriter({region->data(), slot_bytes}), SlotWriter({region->data() + slot_bytes, slot_bytes})};
    const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
    for (uint64_t frame = 1; frame <= kSnapshots; ++frame) {
      write(writers[frame % 2], facts_of(frame), channels_of(frame % 20, frame), frame % kWords);
      // Now and then it waits until the reader has had this one.
      while (frame % 500 == 0 && seen->load() != frame) {
        if (monotonic_ns() > deadline_ns) return 1;
      }
    }
    return kChildFine;
  });
  uint64_t accepted = 0;
  uint64_t newest = 0;
  uint64_t wrong = 0;
  while (!worker.ended()) {
    for (int i = 0; i < 50; ++i) {
      for (const uint64_t offset : {uint64_t{0}, slot_bytes}) {
        const auto snapshot = Snapshot::read_slot({region->data() + offset, slot_bytes});
        if (!snapshot.ok()) continue;
        const uint64_t frame = snapshot.value().facts().frame.value;
        if (!is(snapshot, facts_of(frame), channels_of(frame % 20, frame), frame % kWords)) ++wrong;
        newest = std::max(newest, frame);
        ++accepted;
      }
      seen->store(newest);
    }
  }
  CHECK(worker.fine());
  CHECK(wrong == 0);
  CHECK(newest == kSnapshots);
  CHECK(accepted >= kSnapshots / 500);
}
