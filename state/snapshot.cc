#include "state/snapshot.h"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

#include "ipc/crash_point.h"
#include "ipc/limits.h"
#include "ipc/mutant.h"
#include "ipc/record.h"
#include "ipc/region.h"

namespace arenad {
namespace {

Error damaged(const char* what) {
  return make_error(ErrorCode::corrupt, std::string("a snapshot is damaged: ") + what);
}

void copy_name(char (&to)[32], const std::string& from) {
  std::memset(to, 0, sizeof to);
  std::memcpy(to, from.data(), std::min(from.size(), sizeof to - 1));
}

std::string name_of(const char (&from)[32]) {
  return {from, ::strnlen(from, sizeof from - 1)};
}

uint64_t checksum_of(const void* snapshot, uint64_t bytes) {
  SnapshotHeader header;
  std::memcpy(&header, snapshot, sizeof header);
  header.checksum = 0;
  const uint64_t head = XXH3_64bits(&header, sizeof header);
  return XXH3_64bits_withSeed(static_cast<const char*>(snapshot) + sizeof header, bytes - sizeof header, head);
}

// Where the state begins.
uint64_t state_offset(const SnapshotHeader& header) {
  return sizeof(SnapshotHeader) + uint64_t{header.cursor_count} * sizeof(SnapshotCursor) + round_up(header.names_bytes, 8);
}

const char* fault_of(const SnapshotHeader& header, uint64_t bytes) {
  if (header.magic != kSnapshotMagic) return "no magic number";
  if (header.layout_version != kSnapshotLayoutVersion || header.header_bytes != sizeof(SnapshotHeader)) return "unknown layout";
  if (header.total_bytes != bytes) return "wrong size";
  if (header.cursor_count > limits::kMaxSlots || header.names_bytes > limits::kMaxSlots * limits::kMaxPlayerNameBytes) {
    return "too many channels";
  }
  // Records of streams begin at whole words.
  if (header.outputs_position % 8 != 0 || header.system_position % 8 != 0) return "a position that cannot be";
  if (header.state_words > bytes / 8 || state_offset(header) + header.state_words * 8 != bytes) return "its parts do not fit";
  return nullptr;
}

}  // namespace

uint64_t slot_bytes_for(uint64_t max_state_bytes) {
  const uint64_t channels = limits::kMaxSlots * (sizeof(SnapshotCursor) + limits::kMaxPlayerNameBytes);
  return round_up(sizeof(SlotHeader) + sizeof(SnapshotHeader) + channels + round_up(max_state_bytes, 8), kPageBytes);
}

SnapshotHeader& SlotWriter::header() {
  return *reinterpret_cast<SnapshotHeader*>(slot_.data() + sizeof(SlotHeader));
}

std::span<std::byte> SlotWriter::begin(const SnapshotFacts& facts, std::span<const ChannelAt> channels) {
  auto& slot_header = *reinterpret_cast<SlotHeader*>(slot_.data());
  slot_header.published_frame_plus_one.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  ARENAD_CRASH_POINT("snapshot.begun");
  std::memset(slot_.data() + sizeof(SlotHeader), 0, dirty_bytes_);
  dirty_bytes_ = slot_.size() - sizeof(SlotHeader);  // all of it, should building the state not come to its end

  SnapshotHeader& h = header();
  h.layout_version = kSnapshotLayoutVersion;
  h.header_bytes = sizeof h;
  h.arena_high = facts.arena.high;
  h.arena_low = facts.arena.low;
  h.epoch = facts.epoch.value;
  h.frame = facts.frame.value;
  h.time_unix_ns = facts.time_unix_ns;
  h.outputs_position = facts.outputs_position;
  h.outputs_count = facts.outputs_count;
  h.system_position = facts.system_position;
  h.system_count = facts.system_count;
  h.state_type = facts.state_type;
  h.schema_hash = facts.schema_hash;
  h.tick_hz = facts.tick_hz;
  h.max_players = facts.max_players;
  copy_name(h.game, facts.game);
  copy_name(h.game_version, facts.game_version);
  h.events_applied = facts.events_applied;
  h.events_rejected = facts.events_rejected;
  h.ended = facts.ended ? 1 : 0;
  auto* cursor = reinterpret_cast<SnapshotCursor*>(&h + 1);
  char* names = reinterpret_cast<char*>(cursor + channels.size());
  for (const ChannelAt& channel : channels) {
    const auto name_bytes = static_cast<uint16_t>(std::min(channel.player.size(), limits::kMaxPlayerNameBytes));
    const uint32_t fate =
        (channel.broken ? kRecordsBroken : 0) | (channel.kicked ? kKicked : 0) | (channel.let_in ? 0 : kNotLetIn);
    *cursor++ = {channel.channel.value, channel.position, channel.next_sequence, channel.slot, name_bytes, fate};
    std::memcpy(names, channel.player.data(), name_bytes);
    names += name_bytes;
    h.names_bytes += name_bytes;
    ++h.cursor_count;
  }
  state_offset_ = sizeof(SlotHeader) + state_offset(h);
  ARENAD_CRASH_POINT("snapshot.laid_out");
  return slot_.subspan(state_offset_);
}

uint64_t SlotWriter::publish(uint64_t state_words) {
  ARENAD_CRASH_POINT("snapshot.state_written");
  SnapshotHeader& h = header();
  h.state_words = state_words;
  h.total_bytes = state_offset_ - sizeof(SlotHeader) + state_words * 8;
  h.magic = kSnapshotMagic;
  h.checksum = checksum_of(&h, h.total_bytes);
  dirty_bytes_ = h.total_bytes;
  auto& slot_header = *reinterpret_cast<SlotHeader*>(slot_.data());
  ARENAD_CRASH_POINT("snapshot.publish.before");
  slot_header.published_frame_plus_one.store(h.frame + 1, std::memory_order_release);
  ARENAD_CRASH_POINT("snapshot.publish.after");
  return h.total_bytes;
}

Result<Snapshot> Snapshot::parse(std::vector<uint64_t> words) {
  if (words.size() * 8 < sizeof(SnapshotHeader)) return damaged("too short");
  SnapshotHeader h;
  std::memcpy(&h, words.data(), sizeof h);
  if (const char* fault = fault_of(h, words.size() * 8); fault != nullptr) return damaged(fault);
  const bool is_whole = h.checksum == checksum_of(words.data(), words.size() * 8);
  if (!is_whole && !ARENAD_MUTANT("snapshot.checksum_not_checked")) return damaged("wrong checksum");

  Snapshot snapshot;
  snapshot.words_ = std::move(words);
  snapshot.state_word_ = state_offset(h) / 8;
  snapshot.facts_ = {{h.arena_high, h.arena_low},
                     {h.epoch},
                     {h.frame},
                     h.time_unix_ns,
                     h.outputs_position,
                     h.outputs_count,
                     h.system_position,
                     h.system_count,
                     h.state_type,
                     h.schema_hash,
                     h.tick_hz,
                     h.max_players,
                     name_of(h.game),
                     name_of(h.game_version),
                     h.events_applied,
                     h.events_rejected,
                     h.ended != 0};
  const char* cursors = snapshot.bytes().data() + sizeof h;
  const char* names = cursors + h.cursor_count * sizeof(SnapshotCursor);
  uint64_t names_left = h.names_bytes;
  for (uint32_t i = 0; i < h.cursor_count; ++i) {
    SnapshotCursor c;
    std::memcpy(&c, cursors + i * sizeof c, sizeof c);
    const bool has_name = c.name_bytes <= names_left && c.name_bytes <= limits::kMaxPlayerNameBytes;
    if (c.slot >= limits::kMaxSlots || !has_name) return damaged("a channel that cannot be");
    snapshot.channels_.push_back({{c.channel_id},
                                  c.slot,
                                  c.position,
                                  c.next_sequence,
                                  std::string(names, c.name_bytes),
                                  (c.fate & kRecordsBroken) != 0,
                                  (c.fate & kKicked) != 0,
                                  (c.fate & kNotLetIn) == 0});
    names += c.name_bytes;
    names_left -= c.name_bytes;
  }
  return snapshot;
}

Result<Snapshot> Snapshot::parse(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % 8 != 0) return damaged("not a whole number of words");
  std::vector<uint64_t> words(bytes.size() / 8);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return parse(std::move(words));
}

Result<Snapshot> Snapshot::read_slot(std::span<const std::byte> slot) {
  const auto& slot_header = *reinterpret_cast<const SlotHeader*>(slot.data());
  const uint64_t before = slot_header.published_frame_plus_one.load(std::memory_order_acquire);
  if (before == 0) return make_error(ErrorCode::corrupt, "the snapshot slot is empty");
  const std::byte* at = slot.data() + sizeof(SlotHeader);
  const auto header = load_shared<SnapshotHeader>(at);
  if (header.total_bytes > slot.size() - sizeof(SlotHeader) || header.total_bytes % 8 != 0)
    return damaged("larger than its slot");
  std::vector<uint64_t> words(header.total_bytes / 8);
  copy_from_shared(words.data(), at, header.total_bytes);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot_header.published_frame_plus_one.load(std::memory_order_relaxed) != before)
    return damaged("it was being overwritten");
  auto snapshot = parse(std::move(words));
  if (snapshot && snapshot->facts().frame.value + 1 != before) return damaged("another frame than its slot says");
  return snapshot;
}

std::optional<FrameNumber> published_frame(std::span<const std::byte> slot) {
  const auto& slot_header = *reinterpret_cast<const SlotHeader*>(slot.data());
  const uint64_t plus_one = slot_header.published_frame_plus_one.load(std::memory_order_acquire);
  if (plus_one == 0) return std::nullopt;
  return FrameNumber{plus_one - 1};
}

}  // namespace arenad
