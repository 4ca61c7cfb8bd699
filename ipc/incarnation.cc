#include "ipc/incarnation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include "ipc/record.h"

namespace arenad {
namespace {

bool valid_place(const Place& place, uint64_t region_bytes) {
  return place.offset % kPageBytes == 0 && place.bytes % kPageBytes == 0 && place.bytes != 0 &&
         place.offset >= kFirstPartOffset && place.offset <= region_bytes && place.bytes <= region_bytes - place.offset;
}

bool valid_identity(const IncarnationIdentity& identity, uint64_t region_bytes) {
  if (identity.magic != kIncarnationMagic || identity.layout_version != kIncarnationLayoutVersion) return false;
  for (const Place* ring : {&identity.frame_log, &identity.outputs, &identity.system}) {
    if (!valid_place(*ring, region_bytes) || !std::has_single_bit(ring->bytes)) return false;
  }
  return valid_place(identity.slots[0], region_bytes) && valid_place(identity.slots[1], region_bytes);
}

// A region is not given up for the sake of a text: a place that cannot be is none.
void check_script_notes(IncarnationIdentity& identity, uint64_t region_bytes) {
  const Place& place = identity.script_notes;
  if (!valid_place(place, region_bytes) || place.bytes < sizeof(ScriptNotes)) identity.script_notes = {};
}

IncarnationIdentity identity_for(const IncarnationSizes& sizes) {
  IncarnationIdentity identity{};
  uint64_t next = kFirstPartOffset;
  auto place = [&next](uint64_t bytes) {
    const Place result{next, bytes};
    next += bytes;
    return result;
  };
  identity.layout_version = kIncarnationLayoutVersion;
  identity.header_bytes = kFirstPartOffset;
  identity.frame_log = place(sizes.frame_log_bytes);
  identity.outputs = place(sizes.output_bytes);
  identity.system = place(sizes.system_bytes);
  identity.slots[0] = place(sizes.slot_bytes);
  identity.slots[1] = place(sizes.slot_bytes);
  identity.script_notes = place(kScriptNotesBytes);
  identity.region_bytes = next;
  identity.magic = kIncarnationMagic;
  return identity;
}

}  // namespace

Result<Incarnation> Incarnation::create(const IncarnationSizes& sizes) {
  Incarnation incarnation;
  auto region = Region::create("arenad-incarnation", sizes.region_bytes());
  if (!region) return region.error();
  incarnation.region_ = std::move(*region);
  incarnation.sizes_ = sizes;
  const IncarnationIdentity identity = identity_for(sizes);
  struct Ring {
    Place place;
    std::byte** data;
  };
  const std::array<Ring, 3> rings = {{{identity.frame_log, &incarnation.log_},
                                      {identity.outputs, &incarnation.outputs_},
                                      {identity.system, &incarnation.system_}}};
  for (const Ring& ring : rings) {
    auto mapped = incarnation.region_.map_ring(ring.place.offset, ring.place.bytes);
    if (!mapped) return mapped.error();
    *ring.data = *mapped;
  }
  if (auto sealed = incarnation.region_.seal(); !sealed) return sealed.error();
  new (incarnation.region_.data() + kStatusOffset) WorkerStatus{};
  for (uint32_t i = 0; i < limits::kMaxSlots; ++i) {
    new (incarnation.region_.data() + kChannelTableOffset + i * sizeof(ChannelEntry)) ChannelEntry{};
  }
  incarnation.mutable_identity() = identity;
  return incarnation;
}

void Incarnation::assign(ArenaId arena, Epoch epoch, CodeHash code, uint64_t schema_hash, uint32_t pid) {
  IncarnationIdentity& identity = mutable_identity();
  identity.arena_high = arena.high;
  identity.arena_low = arena.low;
  identity.epoch = epoch.value;
  identity.code_high = code.high;
  identity.code_low = code.low;
  identity.schema_hash = schema_hash;
  identity.pid = pid;
}

void Incarnation::set_version(std::string_view version) {
  IncarnationIdentity& identity = mutable_identity();
  const size_t bytes = std::min(version.size(), sizeof identity.version - 1);
  std::memcpy(identity.version, version.data(), bytes);
  identity.version[bytes] = '\0';
}

void Incarnation::set_options(uint32_t tick_hz, uint32_t max_players) {
  mutable_identity().tick_hz = tick_hz;
  mutable_identity().max_players = max_players;
}

void Incarnation::set_restarts(uint32_t restarts) {
  mutable_identity().restarts = restarts;
}

Result<IncarnationView> IncarnationView::map(Fd fd) {
  auto region = RegionView::map(std::move(fd), kFirstPartOffset);
  if (!region) return region.error();
  IncarnationView view;
  view.region_ = std::move(*region);
  view.places_ = load_shared<IncarnationIdentity>(view.region_.data());
  if (!valid_identity(view.places_, view.region_.bytes())) {
    return make_error(ErrorCode::corrupt, "not an incarnation region of a layout that this version knows");
  }
  check_script_notes(view.places_, view.region_.bytes());
  struct Ring {
    Place place;
    const std::byte** data;
  };
  const std::array<Ring, 3> rings = {
      {{view.places_.frame_log, &view.log_}, {view.places_.outputs, &view.outputs_}, {view.places_.system, &view.system_}}};
  for (const Ring& ring : rings) {
    auto mapped = view.region_.map_ring(ring.place.offset, ring.place.bytes);
    if (!mapped) return mapped.error();
    *ring.data = *mapped;
  }
  return view;
}

ArenaId IncarnationView::arena() const {
  return {identity().arena_high, identity().arena_low};
}
Epoch IncarnationView::epoch() const {
  return {identity().epoch};
}
CodeHash IncarnationView::code() const {
  return {identity().code_high, identity().code_low};
}
std::string IncarnationView::version() const {
  std::array<char, sizeof IncarnationIdentity::version> copy;
  std::memcpy(copy.data(), identity().version, copy.size());
  return {copy.data(), ::strnlen(copy.data(), copy.size())};
}
uint32_t IncarnationView::restarts() const {
  return identity().restarts;
}
const ScriptNotes* IncarnationView::script_notes() const {
  const uint64_t offset = places_.script_notes.offset;
  return offset == 0 ? nullptr : reinterpret_cast<const ScriptNotes*>(region_.data() + offset);
}
uint32_t IncarnationView::tick_hz() const {
  return identity().tick_hz;
}

uint32_t IncarnationView::pid() const {
  return identity().pid;
}

uint32_t IncarnationView::max_players() const {
  return identity().max_players;
}

}  // namespace arenad
