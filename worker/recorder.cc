#include "worker/recorder.h"

#include <algorithm>

#include "arenad/module_abi.h"

namespace arenad {
namespace {

void record_channel(DecidedFrame& frame, WorkerChannel& channel) {
  if (channel.left) return;
  if (!channel.joined) {
    if (channel.gone_reason) {  // came and went between two frames: the game never hears of it
      channel.left = FrameNumber{frame.record().frame};
      return;
    }
    if (!frame.add(FrameEntryKind::join, channel.slot, channel.id.value, channel.player)) return;
  }
  if (channel.view.has_ring() && !channel.broken && !channel.kicked) {
    const auto published = channel.view.published(channel.cursor.position());
    if (!published && !channel.gone_reason) channel.gone_reason = ARENAD_EXPELLED;
    if (published && *published > channel.cursor.position()) {
      if (!frame.add(FrameEntryKind::take, channel.slot, *published)) return;
    }
  }
  if (channel.broken && !channel.gone_reason) channel.gone_reason = ARENAD_EXPELLED;
  if (channel.kicked && !channel.gone_reason) channel.gone_reason = ARENAD_KICKED;
  if (channel.gone_reason) frame.add(FrameEntryKind::leave, channel.slot, *channel.gone_reason);
}

// For the player whose event it is, if it is there when the frame's other entries have been applied. Another one may have its seat by now.
void record_retry(DecidedFrame& frame, const PendingRetry& retry, const ChannelSet& channels) {
  const bool is_there = std::ranges::any_of(channels.all(), [&](const auto& entry) {
    const WorkerChannel& channel = entry.second;
    return channel.slot == retry.slot && channel.player == retry.player && !channel.left && !channel.gone_reason;
  });
  std::string text(reinterpret_cast<const char*>(&retry.head), sizeof retry.head);
  text += retry.message;
  frame.add(FrameEntryKind::retry, is_there ? retry.slot : kNobodysSlot, retry.id, text);
}

std::string signal_text(const PendingSignal& signal) {
  return signal.name + '\n' + signal.payload;
}

}  // namespace

DecidedFrame decide_frame(const FrameInputs& inputs, ChannelSet& channels) {
  DecidedFrame frame(inputs.frame.value, inputs.time_unix_ns, inputs.seed);
  if (inputs.drain_deadline_unix_ns) frame.add(FrameEntryKind::drain, 0, *inputs.drain_deadline_unix_ns);
  for (auto& [id, channel] : channels.all()) record_channel(frame, channel);
  if (inputs.retry) record_retry(frame, *inputs.retry, channels);
  if (inputs.signal) frame.add(FrameEntryKind::signal, 0, inputs.signal->number, signal_text(*inputs.signal));
  frame.close();
  return frame;
}

bool has_entry(const DecidedFrame& frame, FrameEntryKind kind) {
  bool found = false;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view) { found |= entry.kind == kind; });
  return found;
}

bool anything_to_take(const ChannelSet& channels) {
  for (const auto& [id, channel] : channels.all()) {
    if (channel.left) continue;
    if (!channel.joined || channel.gone_reason || channel.broken || channel.kicked) return true;
    if (!channel.view.has_ring()) continue;
    const auto published = channel.view.published(channel.cursor.position());
    if (!published || *published > channel.cursor.position()) return true;
  }
  return false;
}

uint64_t frame_seed(ArenaId arena, FrameNumber frame) {
  // The finaliser of SplitMix64 over id and frame.
  uint64_t z = arena.low ^ arena.high * 0x9E3779B97F4A7C15ull ^ frame.value * 0xD1B54A32D192ED03ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

}  // namespace arenad
