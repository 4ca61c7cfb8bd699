// Both ends of a channel (channel_layout.h): the client writes events in place, the worker takes them.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "arenad/ids.h"
#include "ipc/channel_layout.h"
#include "ipc/limits.h"
#include "ipc/record.h"
#include "ipc/region.h"

namespace arenad {

// The client's end. Single-threaded.
class ChannelWriter {
 public:
  // ring_bytes: a power of two from limits::kMinChannelBytes to kMaxChannelBytes, or 0 for an observer.
  static Result<ChannelWriter> create(uint64_t ring_bytes);

  // Space in the ring for one event of up to word_count words, not zeroed; nullptr if the ring is full of what is not
  // released yet. Nothing is visible to anyone before commit and publish.
  void* reserve(uint64_t word_count) {
    const uint64_t bytes = record_bytes(word_count);
    if (written_ + bytes - released_ > capacity_) return nullptr;
    return ring_ + (written_ & mask_) + kRecordHeaderBytes;
  }
  // The reserved event uses word_count words. Returns its sequence number.
  uint64_t commit(uint64_t type, uint64_t word_count) {
    RecordHeader header{static_cast<uint32_t>(record_bytes(word_count)), 0, ++sequence_, type, 0};
    std::byte* record = ring_ + (written_ & mask_);
    header.check = record_check(header, record + kRecordHeaderBytes);
    std::memcpy(record, &header, sizeof header);
    written_ += header.bytes;
    return sequence_;
  }
  // Everything committed becomes visible to the worker.
  void publish() { header().published.store(written_, std::memory_order_release); }

  // Instead of writing: the ring gets these bytes, as if they had been written from position `begin` on.
  void refill(uint64_t begin, std::string_view bytes);

  // The arena has told how far records are released. Values that cannot be true are ignored.
  void set_released(uint64_t position) {
    if (position > released_ && position <= written_) released_ = position;
  }
  [[nodiscard]] uint64_t written() const { return written_; }
  [[nodiscard]] uint64_t released() const { return released_; }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }
  [[nodiscard]] uint64_t sequence() const { return sequence_; }
  // The largest event that the ring takes, with its header: half of it, so that there is always room beside one being kept.
  [[nodiscard]] uint64_t max_event_bytes() const { return std::min(limits::kMaxEventBytes, capacity_ / 2); }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }
  ChannelHeader& header() { return *reinterpret_cast<ChannelHeader*>(region_.data()); }

 private:
  Region region_;
  std::byte* ring_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t mask_ = 0;
  uint64_t written_ = 0;
  uint64_t released_ = 0;
  uint64_t sequence_ = 0;
};

// Everyone else's view of a channel. What it gives lies in memory that the client can still write: copy it before
// reading it (record.h).
class ChannelView {
 public:
  static Result<ChannelView> map(Fd fd);
  // Whether the client speaks this layout; for the first look at a newcomer's channel.
  [[nodiscard]] Result<void> check_header() const;

  // The end of the stream as the client tells it, or nothing if that cannot be true: it has gone back behind `from`, or
  // further than the ring is long.
  [[nodiscard]] std::optional<uint64_t> published(uint64_t from) const {
    const uint64_t end = header().published.load(std::memory_order_acquire);
    if (end < from || end - from > capacity_) return std::nullopt;
    return end;
  }
  [[nodiscard]] RecordHeader record_at(uint64_t position) const {
    return load_shared<RecordHeader>(ring_ + (position & mask_));
  }
  [[nodiscard]] const std::byte* words_at(uint64_t position) const { return ring_ + (position & mask_) + kRecordHeaderBytes; }
  [[nodiscard]] const std::byte* bytes_at(uint64_t position) const { return ring_ + (position & mask_); }
  [[nodiscard]] bool has_ring() const { return capacity_ != 0; }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }
  [[nodiscard]] const ChannelHeader& header() const { return *reinterpret_cast<const ChannelHeader*>(region_.data()); }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }

 private:
  RegionView region_;
  const std::byte* ring_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t mask_ = 0;
};

// Walks the records of a channel from a position to an end, checking each.
class ChannelCursor {
 public:
  ChannelCursor() = default;
  ChannelCursor(uint64_t position, uint64_t next_sequence) : position_(position), next_sequence_(next_sequence) {}

  enum class Step { record, end, broken };
  // Looks at the record at the position; broken if it cannot be one: then nothing behind it can be found either.
  Step peek(const ChannelView& channel, uint64_t end, uint64_t maximum_bytes, RecordHeader& header) const {
    if (position_ >= end) return Step::end;
    // Who runs a frame again takes the end from its record, which is no more to be believed than the channel.
    const uint64_t available = std::min(end - position_, channel.capacity());
    if (available < kRecordHeaderBytes || position_ % 8 != 0) return Step::broken;
    header = channel.record_at(position_);
    const bool good = plausible_record(header, available, maximum_bytes) && header.sequence == next_sequence_;
    return good ? Step::record : Step::broken;
  }
  void advance(const RecordHeader& header) {
    position_ += header.bytes;
    ++next_sequence_;
  }
  void skip_to(uint64_t position) { position_ = position; }
  [[nodiscard]] uint64_t position() const { return position_; }
  [[nodiscard]] uint64_t next_sequence() const { return next_sequence_; }

 private:
  uint64_t position_ = 0;
  uint64_t next_sequence_ = 1;
};

// A channel that holds recorded bytes, as the client had written them from stream position `begin` on.
Result<ChannelView> rebuild_channel(uint64_t begin, std::string_view bytes);

}  // namespace arenad
