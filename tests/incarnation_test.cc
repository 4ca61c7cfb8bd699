// The region of an incarnation: every part where its identity says, and no part where it cannot be.
#include "ipc/incarnation.h"

#include <array>
#include <cstring>
#include <functional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr IncarnationSizes kSizes = {.frame_log_bytes = 4 * kPageBytes,
                                     .output_bytes = 8 * kPageBytes,
                                     .system_bytes = 2 * kPageBytes,
                                     .slot_bytes = 3 * kPageBytes};

Incarnation incarnation_of(const IncarnationSizes& sizes = kSizes) {
  auto incarnation = Incarnation::create(sizes);
  REQUIRE(incarnation.ok());
  return std::move(*incarnation);
}

Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

IncarnationView view_of(const Incarnation& incarnation) {
  auto view = IncarnationView::map(copy_of(incarnation.fd()));
  REQUIRE(view.ok());
  return std::move(*view);
}

// A region as a hostile worker could make it.
Region forged(const IncarnationIdentity& identity, uint64_t bytes) {
  auto region = Region::create("arenad-test", bytes);
  REQUIRE(region.ok());
  std::memcpy(region->data(), &identity, sizeof identity);
  REQUIRE(region->seal().ok());
  return std::move(*region);
}

bool taken(const IncarnationIdentity& identity, uint64_t bytes = kSizes.region_bytes()) {
  const auto view = IncarnationView::map(copy_of(forged(identity, bytes).fd()));
  if (!view.ok()) CHECK(view.error().code == ErrorCode::corrupt);
  return view.ok();
}

}  // namespace

TEST_CASE("incarnation: new, it belongs to nobody and has done nothing") {
  const Incarnation incarnation = incarnation_of();
  const IncarnationView view = view_of(incarnation);
  CHECK(view.stage() == Stage::blank);
  CHECK(view.arena().is_null());
  CHECK(view.epoch() == Epoch{0});
  CHECK(view.tick_hz() == 0);
  CHECK(view.bytes() == kSizes.region_bytes());
  CHECK(view.log_capacity() == kSizes.frame_log_bytes);
  CHECK(view.output_capacity() == kSizes.output_bytes);
  CHECK(view.system_capacity() == kSizes.system_bytes);
  CHECK(view.slot(0).size() == kSizes.slot_bytes);
  CHECK(view.slot(1).size() == kSizes.slot_bytes);
  CHECK(view.channels().size() == limits::kMaxSlots);
  for (const ChannelEntry& entry : view.channels()) CHECK(entry.channel_id.load() == 0);
  CHECK(view.status().frame_done.load() == 0);
  for (const std::byte b : view.slot(0)) REQUIRE(b == std::byte{0});
}

TEST_CASE("incarnation: what the worker writes everyone sees, each part in its own place") {
  Incarnation incarnation = incarnation_of();
  const IncarnationView view = view_of(incarnation);
  incarnation.assign({1, 2}, {3}, {6, 7}, 4, 5);
  incarnation.set_options(20, 30);
  incarnation.set_restarts(8);
  incarnation.set_stage(Stage::live);
  incarnation.set_phase(Phase::ticking);
  incarnation.status().frame_done.store(77);
  incarnation.channels()[127].taken.store(99);
  CHECK(view.arena() == ArenaId{1, 2});
  CHECK(view.epoch() == Epoch{3});
  CHECK(view.tick_hz() == 20);
  CHECK(view.restarts() == 8);
  CHECK(incarnation.identity().schema_hash == 4);
  CHECK(incarnation.identity().pid == 5);
  CHECK(incarnation.identity().max_players == 30);
  CHECK(view.stage() == Stage::live);
  CHECK(view.status().phase.load() == static_cast<uint32_t>(Phase::ticking));
  CHECK(view.status().frame_done.load() == 77);
  CHECK(view.channels()[127].taken.load() == 99);
  CHECK(view.channels()[126].taken.load() == 0);

  // Each part filled with a byte of its own: none lies over another, nor over what stands before them.
  std::memset(incarnation.log_ring(), 1, kSizes.frame_log_bytes);
  std::memset(incarnation.output_ring(), 2, kSizes.output_bytes);
  std::memset(incarnation.system_ring(), 3, kSizes.system_bytes);
  std::memset(incarnation.slot(0).data(), 4, incarnation.slot(0).size());
  std::memset(incarnation.slot(1).data(), 5, incarnation.slot(1).size());
  auto all = [](const std::byte* at, uint64_t bytes, int value) {
    for (uint64_t i = 0; i < bytes; ++i) {
      if (at[i] != std::byte(value)) return false;
    }
    return true;
  };
  CHECK(all(view.log_ring(), 2 * kSizes.frame_log_bytes, 1));  // with its mirror
  CHECK(all(view.output_ring(), 2 * kSizes.output_bytes, 2));
  CHECK(all(view.system_ring(), 2 * kSizes.system_bytes, 3));
  CHECK(all(view.slot(0).data(), kSizes.slot_bytes, 4));
  CHECK(all(view.slot(1).data(), kSizes.slot_bytes, 5));
  CHECK(view.arena() == ArenaId{1, 2});
  CHECK(view.status().frame_done.load() == 77);
  CHECK(view.channels()[127].taken.load() == 99);
}

TEST_CASE("incarnation: a stage that there is not is none") {
  Incarnation incarnation = incarnation_of();
  const IncarnationView view = view_of(incarnation);
  for (const Stage stage : {Stage::blank, Stage::recovering, Stage::live, Stage::finished, Stage::ended}) {
    incarnation.set_stage(stage);
    CHECK(view.stage() == stage);
  }
  for (const uint32_t value : {5u, 6u, 0x80000000u, UINT32_MAX}) {
    incarnation.status().stage.store(value);
    CHECK(view.stage() == Stage::blank);
  }
}

TEST_CASE("incarnation: the usual sizes") {
  IncarnationSizes sizes;
  sizes.slot_bytes = kPageBytes;
  const Incarnation incarnation = incarnation_of(sizes);
  CHECK(view_of(incarnation).bytes() == sizes.region_bytes());
  CHECK(incarnation.identity().header_bytes == kFirstPartOffset);
  CHECK(incarnation.sizes().output_bytes == limits::kMinOutputRingBytes);
}

TEST_CASE("hostile incarnation: an identity that cannot be") {
  const IncarnationIdentity good = incarnation_of().identity();
  REQUIRE(taken(good));
  const uint64_t region = kSizes.region_bytes();
  auto refused = [&](const std::function<void(IncarnationIdentity&)>& change) {
    IncarnationIdentity identity = good;
    change(identity);
    return !taken(identity);
  };
  CHECK(refused([](auto& i) { i.magic = 0; }));
  CHECK(refused([](auto& i) { i.magic ^= uint64_t{1} << 63; }));
  CHECK(refused([](auto& i) { i.layout_version = 0; }));
  CHECK(refused([](auto& i) { ++i.layout_version; }));

  using PlaceOf = Place& (*)(IncarnationIdentity&);
  const std::array<PlaceOf, 5> places = {
      [](IncarnationIdentity& i) -> Place& { return i.frame_log; }, [](IncarnationIdentity& i) -> Place& { return i.outputs; },
      [](IncarnationIdentity& i) -> Place& { return i.system; }, [](IncarnationIdentity& i) -> Place& { return i.slots[0]; },
      [](IncarnationIdentity& i) -> Place& { return i.slots[1]; }};
  for (size_t n = 0; n < places.size(); ++n) {
    CAPTURE(n);
    const bool is_ring = n < 3;
    auto with_offset = [&](uint64_t offset) { return refused([&](auto& i) { places[n](i).offset = offset; }); };
    auto with_bytes = [&](uint64_t bytes) { return refused([&](auto& i) { places[n](i).bytes = bytes; }); };
    auto with = [&](uint64_t offset, uint64_t bytes) { return refused([&](auto& i) { places[n](i) = {offset, bytes}; }); };
    for (const uint64_t offset :
         {uint64_t{0}, uint64_t{256}, kChannelTableOffset, kBlackBoxOffset, kFirstPartOffset + 1, kFirstPartOffset + 8,
          kFirstPartOffset + 2048, region, region + kPageBytes, uint64_t{1} << 63, UINT64_MAX - kPageBytes + 1, UINT64_MAX}) {
      CAPTURE(offset);
      CHECK(with_offset(offset));
    }
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{8}, kPageBytes - 8, kPageBytes + 8, region, region * 2,
                                 uint64_t{1} << 40, uint64_t{1} << 63, UINT64_MAX - kPageBytes + 1, UINT64_MAX}) {
      CAPTURE(bytes);
      CHECK(with_bytes(bytes));
    }
    // At the very end of the region, and one page further.
    CHECK_FALSE(with(region - kPageBytes, kPageBytes));
    CHECK(with(region - kPageBytes, 2 * kPageBytes));
    CHECK_FALSE(with(region - 2 * kPageBytes, 2 * kPageBytes));
    // A ring's size is a power of two.
    CHECK(with(kFirstPartOffset, 3 * kPageBytes) == is_ring);
    CHECK(with(kFirstPartOffset, 5 * kPageBytes) == is_ring);
  }
}

TEST_CASE("hostile incarnation: a region that is too small for its identity") {
  const IncarnationIdentity good = incarnation_of().identity();
  CHECK(taken(good, kSizes.region_bytes() + kPageBytes));
  CHECK_FALSE(taken(good, kSizes.region_bytes() - kScriptNotesBytes - kPageBytes));
  CHECK_FALSE(taken(good, kFirstPartOffset));
  CHECK_FALSE(taken(good, kFirstPartOffset - kPageBytes));
  CHECK_FALSE(taken(good, kPageBytes));
  CHECK_FALSE(IncarnationView::map(Fd()).ok());
}

TEST_CASE("incarnation: the script notes lie where the identity says, behind all else") {
  Incarnation incarnation = incarnation_of();
  const IncarnationView view = view_of(incarnation);
  REQUIRE(view.script_notes() != nullptr);
  incarnation.script_notes().death.bytes = 7;
  incarnation.script_notes().slow.bytes = 9;
  CHECK(view.script_notes()->death.bytes == 7);
  CHECK(view.script_notes()->slow.bytes == 9);
  CHECK(view.script_notes()->death.written.load() == 0);
  CHECK(incarnation.identity().script_notes.offset == kSizes.region_bytes() - kScriptNotesBytes);
}

TEST_CASE(
    "incarnation: one of a worker that knows of no script notes, and one whose place of them cannot be, is taken without "
    "them") {
  const IncarnationIdentity good = incarnation_of().identity();
  const uint64_t region = kSizes.region_bytes();
  const auto notes_at = [&](Place place, uint64_t bytes) {
    IncarnationIdentity identity = good;
    identity.script_notes = place;
    const auto view = IncarnationView::map(copy_of(forged(identity, bytes).fd()));
    REQUIRE(view.ok());
    return view.value().script_notes() != nullptr;
  };
  CHECK(notes_at(good.script_notes, region));
  CHECK(notes_at({good.script_notes.offset, kPageBytes}, region));
  CHECK_FALSE(notes_at({}, region - kScriptNotesBytes));
  CHECK_FALSE(notes_at({}, region));
  CHECK_FALSE(notes_at(good.script_notes, region - kScriptNotesBytes));  // it would lie behind the region's end
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{8}, kBlackBoxOffset, kFirstPartOffset + 8, region, UINT64_MAX - kPageBytes + 1}) {
    CAPTURE(offset);
    CHECK_FALSE(notes_at({offset, kPageBytes}, region));
  }
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{2048}, 2 * kPageBytes, UINT64_MAX}) {
    CAPTURE(bytes);
    CHECK_FALSE(notes_at({good.script_notes.offset, bytes}, region));
  }
}

TEST_CASE("hostile incarnation: parts that move later move nothing") {
  const IncarnationIdentity good = incarnation_of().identity();
  auto region = Region::create("arenad-test", kSizes.region_bytes());
  REQUIRE(region.ok());
  std::memcpy(region->data(), &good, sizeof good);
  REQUIRE(region->seal().ok());
  const auto view = IncarnationView::map(copy_of(region->fd()));
  REQUIRE(view.ok());
  const std::byte* const slot = view.value().slot(1).data();
  auto& identity = *reinterpret_cast<IncarnationIdentity*>(region->data());
  identity.outputs = {UINT64_MAX, UINT64_MAX};
  identity.slots[1] = {0, UINT64_MAX};
  CHECK(view.value().output_capacity() == kSizes.output_bytes);
  CHECK(view.value().slot(1).data() == slot);
  CHECK(view.value().slot(1).size() == kSizes.slot_bytes);
}

TEST_CASE("hostile incarnation: random identities are refused, or every byte of their parts can be read") {
  Random random(test_seed());
  const IncarnationIdentity good = incarnation_of().identity();
  for (int round = 0; round < 1000; ++round) {
    IncarnationIdentity identity = good;
    auto* words = reinterpret_cast<uint64_t*>(&identity);
    constexpr size_t kFirst = offsetof(IncarnationIdentity, region_bytes) / 8;
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      uint64_t& word = words[kFirst + random.below(11)];
      word = random.one_in(2) ? random() >> random.below(64) : random.below(32) * kPageBytes;
    }
    const Region region = forged(identity, kSizes.region_bytes());
    const auto view = IncarnationView::map(copy_of(region.fd()));
    if (!view.ok()) continue;
    const IncarnationView& v = view.value();
    uint64_t sum = 0;
    auto read = [&](const std::byte* at, uint64_t bytes) {
      for (uint64_t i = 0; i < bytes; i += 512) sum += static_cast<uint64_t>(at[i]);
      sum += static_cast<uint64_t>(at[bytes - 1]);
    };
    read(v.log_ring(), 2 * v.log_capacity());
    read(v.output_ring(), 2 * v.output_capacity());
    read(v.system_ring(), 2 * v.system_capacity());
    read(v.slot(0).data(), v.slot(0).size());
    read(v.slot(1).data(), v.slot(1).size());
    CHECK(sum < UINT64_MAX);
  }
}
