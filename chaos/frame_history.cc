#include "chaos/frame_history.h"

#include <algorithm>
#include <cstring>

namespace arenad::chaos {
namespace {

// Everything but the done mark and what comes with it.
bool same_decision(const DecidedFrame& a, const DecidedFrame& b) {
  constexpr size_t kDecidedBytes = offsetof(FrameRecord, done);
  constexpr size_t kEntriesAt = sizeof(FrameRecord) / 8;
  if (a.words().size() != b.words().size()) return false;
  if (std::memcmp(a.words().data(), b.words().data(), kDecidedBytes) != 0) return false;
  return std::equal(a.words().begin() + kEntriesAt, a.words().end(), b.words().begin() + kEntriesAt);
}

}  // namespace

FrameHistory::Seen FrameHistory::add(DecidedFrame frame) {
  const uint64_t number = frame.record().frame;
  if (number > last() + 1 || number == 0) {
    ++gaps_;
    return Seen::gap;
  }
  if (number == last() + 1) {
    follow_channels(frame);
    frames_.push_back(std::move(frame));
    return Seen::fresh;
  }
  DecidedFrame& known = frames_[number - 1];
  const bool same = same_decision(known, frame) && (!known.done() || !frame.done() || known.effects() == frame.effects());
  if (!same) {
    ++different_;
    return Seen::different;
  }
  if (!known.done()) known = std::move(frame);
  return Seen::again;
}

void FrameHistory::follow_channels(const DecidedFrame& frame) {
  const uint64_t number = frame.record().frame;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view) {
    switch (entry.kind) {
      case FrameEntryKind::join:
        parts_[entry.value] = {entry.slot, number, 0, std::nullopt};
        break;
      case FrameEntryKind::take:
        if (Part* part = at(entry.slot)) part->taken = entry.value;
        break;
      case FrameEntryKind::leave:
        if (Part* part = at(entry.slot)) part->left = number;
        break;
      case FrameEntryKind::drain:
      case FrameEntryKind::skip:
      case FrameEntryKind::retry:
      case FrameEntryKind::signal:
        break;
    }
  });
}

FrameHistory::Part* FrameHistory::at(Seat slot) {
  for (auto& [channel, part] : parts_) {
    if (part.slot == slot && !part.left) return &part;
  }
  return nullptr;
}

const FrameHistory::Part* FrameHistory::part(ChannelId channel) const {
  const auto found = parts_.find(channel.value);
  return found == parts_.end() ? nullptr : &found->second;
}

std::optional<uint64_t> FrameHistory::outputs_end(uint64_t frame) const {
  if (frame == 0) return 0;
  if (frame > last() || !frames_[frame - 1].done()) return std::nullopt;
  return frames_[frame - 1].effects().outputs_end;
}

}  // namespace arenad::chaos
