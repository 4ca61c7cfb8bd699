#include "worker/channel_set.h"

#include <algorithm>

namespace arenad {

WorkerChannel& ChannelSet::attach(ChannelId id, Seat slot, std::string player, ChannelView view) {
  WorkerChannel& channel = channels_[id.value];
  channel.id = id;
  channel.slot = slot;
  channel.player = std::move(player);
  channel.view = std::move(view);
  channel.full_seen = channel.view.header().full.load(std::memory_order_relaxed);
  return channel;
}

WorkerChannel* ChannelSet::find(ChannelId id) {
  const auto found = channels_.find(id.value);
  return found == channels_.end() ? nullptr : &found->second;
}

WorkerChannel* ChannelSet::at(Seat slot) {
  for (auto& [id, channel] : channels_) {
    if (channel.slot == slot && channel.in_arena()) return &channel;
  }
  return nullptr;
}

void ChannelSet::join(WorkerChannel& channel) {
  channel.joined = true;
  ChannelEntry& entry = table_[channel.slot];
  entry.taken.store(channel.cursor.position(), std::memory_order_relaxed);
  entry.released.store(channel.released, std::memory_order_relaxed);
  entry.applied.store(0, std::memory_order_relaxed);
  entry.rejected.store(0, std::memory_order_relaxed);
  entry.last_rejected_sequence.store(0, std::memory_order_relaxed);
  entry.channel_id.store(channel.id.value, std::memory_order_release);
  have_joined_through(channel.id);
}

// After the table: whoever finds a channel at or below this and not in the table knows that it has left.
void ChannelSet::have_joined_through(ChannelId newest) {
  if (newest.value > newest_.load(std::memory_order_relaxed)) newest_.store(newest.value, std::memory_order_release);
}

void ChannelSet::leave(WorkerChannel& channel, FrameNumber frame) {
  channel.left = frame;
  table_[channel.slot].channel_id.store(0, std::memory_order_release);
}

void ChannelSet::publish_taken(const WorkerChannel& channel) {
  table_[channel.slot].taken.store(channel.cursor.position(), std::memory_order_release);
}

void ChannelSet::count_applied(const WorkerChannel& channel) {
  auto& applied = table_[channel.slot].applied;
  applied.store(applied.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ChannelSet::count_rejected(const WorkerChannel& channel, uint64_t sequence, RejectReason reason) {
  ChannelEntry& entry = table_[channel.slot];
  entry.rejected.store(entry.rejected.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  entry.last_reject_reason.store(static_cast<uint32_t>(reason), std::memory_order_relaxed);
  entry.last_rejected_sequence.store(sequence, std::memory_order_release);
}

std::vector<ChannelAt> ChannelSet::positions() const {
  std::vector<ChannelAt> result;
  for (const auto& [id, channel] : channels_) {
    if (!channel.in_arena()) continue;
    result.push_back({channel.id, channel.slot, channel.cursor.position(), channel.cursor.next_sequence(), channel.player,
                      channel.broken, channel.kicked, channel.let_in});
  }
  return result;
}

void ChannelSet::restore(const ChannelAt& at) {
  WorkerChannel& channel = channels_.at(at.channel.value);
  channel.cursor = ChannelCursor(at.position, at.next_sequence);
  channel.taken_at_snapshot = at.position;
  channel.broken = at.broken;
  channel.kicked = at.kicked;
  channel.let_in = at.let_in;
  join(channel);
}

void ChannelSet::release(ChannelId id, uint64_t position) {
  WorkerChannel* channel = find(id);
  if (channel == nullptr || position <= channel->released) return;
  channel->released = position;
  if (channel->in_arena()) table_[channel->slot].released.store(position, std::memory_order_release);
}

std::vector<ChannelId> ChannelSet::forget_left_through(FrameNumber frame) {
  std::vector<ChannelId> forgotten;
  for (auto it = channels_.begin(); it != channels_.end();) {
    if (it->second.left && *it->second.left <= frame) {
      forgotten.push_back(it->second.id);
      it = channels_.erase(it);
    } else {
      ++it;
    }
  }
  return forgotten;
}

uint64_t ChannelSet::take_full() {
  uint64_t times = 0;
  for (auto& [id, channel] : channels_) {
    const uint64_t now = channel.view.header().full.load(std::memory_order_relaxed);
    if (now > channel.full_seen) times += now - channel.full_seen;
    channel.full_seen = now;
  }
  return times;
}

uint64_t ChannelSet::waiting_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, channel] : channels_) {
    if (!channel.in_arena() || !channel.view.has_ring()) continue;
    const uint64_t taken = channel.cursor.position();
    bytes += channel.view.published(taken).value_or(taken) - taken;
  }
  return bytes;
}

uint64_t ChannelSet::output_lag_bytes(uint64_t outputs_published) const {
  uint64_t slowest = 0;
  for (const auto& [id, channel] : channels_) {
    if (channel.gone_reason) continue;
    const uint64_t read = channel.view.header().outputs_read.load(std::memory_order_relaxed);
    if (read < outputs_published) slowest = std::max(slowest, outputs_published - read);
  }
  return slowest;
}

}  // namespace arenad
