// Writing, reading and taking apart the frame log (frame_log_layout.h).
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ipc/event_ref.h"
#include "ipc/frame_log_layout.h"
#include "ipc/record.h"

namespace arenad {

// A record in private memory, checked. Iterate with for_each_entry.
class DecidedFrame {
 public:
  DecidedFrame(uint64_t frame, uint64_t time_unix_ns, uint64_t seed);
  // Takes a record's bytes; nothing if they are not a whole and sound record.
  static std::optional<DecidedFrame> parse(std::span<const uint64_t> words);

  // False if the record would become larger than kMaxFrameRecordBytes; then nothing is added.
  bool add(FrameEntryKind kind, uint16_t slot, uint64_t value, std::string_view text = {});
  // Makes the record ready for the log: nothing may be added after this.
  void close();

  [[nodiscard]] const FrameRecord& record() const { return *reinterpret_cast<const FrameRecord*>(words_.data()); }
  [[nodiscard]] std::span<const uint64_t> words() const { return words_; }
  [[nodiscard]] bool done() const { return record().done == record().frame; }
  [[nodiscard]] FrameEffects effects() const {
    return {record().outputs_end, record().outputs_hash, record().system_end, record().system_hash};
  }
  void clear_done();

  template <class Visit>  // visit(const FrameEntry&, std::string_view text)
  void for_each_entry(Visit&& visit) const {
    const auto* at = reinterpret_cast<const char*>(words_.data()) + sizeof(FrameRecord);
    for (uint32_t i = 0; i < record().entry_count; ++i) {
      FrameEntry entry;
      std::memcpy(&entry, at, sizeof entry);
      visit(entry, std::string_view(at + sizeof entry, entry.text_bytes));
      at += sizeof entry + (entry.text_bytes + 7) / 8 * 8;
    }
  }

 private:
  DecidedFrame() = default;
  FrameRecord& mutable_record() { return *reinterpret_cast<FrameRecord*>(words_.data()); }
  std::vector<uint64_t> words_;
};

// What a `skip` leaves out; nothing: it is another entry, or of no channel.
std::optional<LeftOutEvent> left_out_by(const FrameEntry& entry, std::string_view text);

struct FrameLogWords {
  std::atomic<uint64_t>& begin;
  std::atomic<uint64_t>& published;
};

class FrameLogWriter {
 public:
  FrameLogWriter(std::byte* ring, uint64_t capacity, FrameLogWords words)
      : ring_(ring), capacity_(capacity), mask_(capacity - 1), words_(words) {}

  [[nodiscard]] bool fits(uint64_t bytes) const { return written_ + bytes - begin_ <= capacity_; }
  // Publishes a closed record. It must fit.
  void append(const DecidedFrame& frame);
  // Marks the last appended record as done.
  void mark_done(const FrameEffects& effects);
  // Records up to and including this frame are not needed any more.
  void release_through(uint64_t frame);
  [[nodiscard]] uint64_t used() const { return written_ - begin_; }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }

 private:
  FrameRecord& record_at(uint64_t position) { return *reinterpret_cast<FrameRecord*>(ring_ + (position & mask_)); }
  std::byte* ring_;
  uint64_t capacity_;
  uint64_t mask_;
  FrameLogWords words_;
  uint64_t begin_ = 0;
  uint64_t written_ = 0;
  uint64_t last_ = 0;
};

struct FrameLogView {
  const std::byte* ring;
  uint64_t capacity;
  const std::atomic<uint64_t>& begin;
  const std::atomic<uint64_t>& published;
};

// Walks a log that another process writes, or wrote before it died.
class FrameLogReader {
 public:
  enum class Step { frame, end, lagged, corrupt };
  // On `frame`, frame() is the next record, copied and checked, with its done mark as it was at that moment.
  Step next(const FrameLogView& log);
  // Behind a record that is corrupt, if its length can be believed: whether what follows is a record its own checksum tells.
  bool skip(const FrameLogView& log);
  // To the oldest record that is kept.
  void rewind(const FrameLogView& log) { position_ = log.begin.load(std::memory_order_acquire); }
  [[nodiscard]] const DecidedFrame& frame() const { return *frame_; }
  DecidedFrame take() { return std::move(*frame_); }

 private:
  uint64_t position_ = 0;
  std::optional<DecidedFrame> frame_;
  std::vector<uint64_t> buffer_;
};

}  // namespace arenad
