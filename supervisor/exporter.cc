#include "supervisor/exporter.h"

#include <algorithm>

#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/frame_log.h"
#include "ipc/recording.h"

namespace arenad {
namespace {

std::vector<DecidedFrame> frames_after(const IncarnationView& view, FrameNumber frame) {
  const FrameLogView log{view.log_ring(), view.log_capacity(), view.status().log_begin, view.status().log_published};
  std::vector<DecidedFrame> frames;
  FrameLogReader reader;
  reader.rewind(log);
  while (reader.next(log) == FrameLogReader::Step::frame) {
    if (reader.frame().record().frame > frame.value) frames.push_back(reader.take());
  }
  return frames;
}

// Where each slot's channel was read to at the end of the frames.
std::map<uint64_t, uint64_t> ends_of(const Snapshot& snapshot, const std::vector<DecidedFrame>& frames) {
  std::map<Seat, uint64_t> channel_at;
  std::map<uint64_t, uint64_t> ends;
  for (const ChannelAt& at : snapshot.channels()) {
    channel_at[at.slot] = at.channel.value;
    ends[at.channel.value] = at.position;
  }
  for (const DecidedFrame& frame : frames) {
    frame.for_each_entry([&](const FrameEntry& entry, std::string_view) {
      if (entry.kind == FrameEntryKind::join) {
        channel_at[entry.slot] = entry.value;
        ends.emplace(entry.value, 0);
      } else if (entry.kind == FrameEntryKind::take) {
        ends[channel_at[entry.slot]] = entry.value;
      }
    });
  }
  return ends;
}

std::string copy_of(const ChannelView& view, uint64_t begin, uint64_t end) {
  std::string bytes(end - begin, '\0');
  // Two rings' length are mapped in a row: any stretch of up to one ring is contiguous.
  copy_from_shared(bytes.data(), view.bytes_at(begin), bytes.size());
  return bytes;
}

}  // namespace

Result<Snapshot> newest_snapshot(const Arena& arena) {
  const IncarnationView* view = arena.lived();
  if (view == nullptr) return make_error(ErrorCode::refused, "arena " + arena.record().name + " has nothing in memory");
  auto first = Snapshot::read_slot(view->slot(0));
  auto second = Snapshot::read_slot(view->slot(1));
  if (first && second) return first->facts().frame > second->facts().frame ? std::move(first) : std::move(second);
  return first ? std::move(first) : std::move(second);
}

Result<std::string> export_arena(const Arena& arena) {
  auto snapshot = newest_snapshot(arena);
  if (!snapshot) return snapshot.error();
  const IncarnationView* view = arena.lived();

  Recording recording;
  recording.arena = arena.record().id;
  recording.name = arena.record().name;
  recording.game = snapshot->facts().game;
  recording.game_version = snapshot->facts().game_version;
  recording.epoch = view->epoch();
  recording.recorded_unix_ms = unix_ms();
  recording.tick_hz = snapshot->facts().tick_hz;
  recording.params = arena.record().params;
  recording.frames = frames_after(*view, snapshot->facts().frame);
  std::map<uint64_t, uint64_t> begins;
  for (const ChannelAt& at : snapshot->channels()) begins[at.channel.value] = at.position;
  for (const auto& [id, end] : ends_of(*snapshot, recording.frames)) {
    const auto channel = arena.channels().all().find(id);
    if (channel == arena.channels().all().end()) continue;
    auto region = channel->second.region.duplicate();
    if (!region) return region.error();
    auto mapped = ChannelView::map(std::move(*region));
    if (!mapped) return mapped.error();
    const uint64_t begin = begins.count(id) != 0 ? begins[id] : 0;
    const bool whole = end >= begin && end - begin <= mapped->capacity();
    recording.channels.push_back({{id}, channel->second.slot, begin, whole && end > begin ? copy_of(*mapped, begin, end) : ""});
  }
  recording.snapshot = snapshot->bytes();
  return encode_recording(recording);
}

}  // namespace arenad
