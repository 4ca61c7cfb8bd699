#include "worker/quarantine.h"

#include <algorithm>
#include <cstring>

namespace arenad {
namespace {

bool lies_before(const WorkerChannel& channel, uint64_t end, uint64_t sequence, uint64_t max_event_bytes) {
  ChannelCursor cursor = channel.cursor;
  RecordHeader header;
  while (cursor.peek(channel.view, end, max_event_bytes, header) == ChannelCursor::Step::record) {
    if (header.sequence == sequence) return true;
    cursor.advance(header);
  }
  return false;
}

// Whether the frame takes this event from its channel.
bool takes(const DecidedFrame& frame, ChannelSet& channels, const EventRef& event, uint64_t max_event_bytes) {
  const WorkerChannel* channel = channels.find(event.channel);
  if (channel == nullptr || !channel->view.has_ring()) return false;
  const WorkerChannel* there = channels.at(channel->slot);
  bool is_there = there == channel;
  bool found = false;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view) {
    if (entry.slot != channel->slot) return;
    if (entry.kind == FrameEntryKind::join) is_there = entry.value == event.channel.value;
    if (entry.kind == FrameEntryKind::leave) is_there = false;
    if (entry.kind != FrameEntryKind::take || !is_there) return;
    found = found || lies_before(*channel, entry.value, event.sequence, max_event_bytes);
  });
  return found;
}

bool skips(const DecidedFrame& frame, const EventRef& event) {
  bool found = false;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    const auto left_out = left_out_by(entry, text);
    found = found || (left_out && left_out->event == event);
  });
  return found;
}

bool tries_again(const FrameEntry& entry, std::string_view text, std::span<const LeftOutEvent> quarantined) {
  RetryHead head;
  if (entry.kind != FrameEntryKind::retry || text.size() < sizeof head) return false;
  std::memcpy(&head, text.data(), sizeof head);
  return std::ranges::find(quarantined, EventRef{{head.channel}, head.sequence}, &LeftOutEvent::event) != quarantined.end();
}

}  // namespace

DecidedFrame without_quarantined(DecidedFrame frame, ChannelSet& channels, std::span<const LeftOutEvent> quarantined,
                                 uint64_t max_event_bytes) {
  if (quarantined.empty()) return frame;
  const FrameRecord& record = frame.record();
  DecidedFrame changed(record.frame, record.time_unix_ns, record.seed);
  bool differs = false;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    if (!frame.done() && tries_again(entry, text, quarantined)) {
      differs = true;
    } else {
      changed.add(entry.kind, entry.slot, entry.value, text);
    }
  });
  // Behind everything else, which must not be pushed out of a full record; where it stands in the frame makes no difference.
  for (const auto& [event, number] : quarantined) {
    if (skips(frame, event) || !takes(frame, channels, event, max_event_bytes)) continue;
    const SkipText text{event.channel.value, number};
    const std::string_view bytes(reinterpret_cast<const char*>(&text), sizeof text);
    differs = changed.add(FrameEntryKind::skip, 0, event.sequence, bytes) || differs;
  }
  if (!differs) return frame;
  changed.close();
  return changed;
}

}  // namespace arenad
