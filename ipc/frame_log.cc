#include "ipc/frame_log.h"

#include <xxhash.h>

#include "arenad/result.h"

namespace arenad {
namespace {

uint64_t checksum_of(std::span<const uint64_t> words) {
  constexpr size_t kFixed = offsetof(FrameRecord, checksum);
  const auto* bytes = reinterpret_cast<const char*>(words.data());
  const uint64_t head = XXH3_64bits(bytes, kFixed);
  return XXH3_64bits_withSeed(bytes + sizeof(FrameRecord), words.size_bytes() - sizeof(FrameRecord), head);
}

bool is_length(uint32_t bytes, uint64_t left) {
  return bytes >= sizeof(FrameRecord) && bytes % 8 == 0 && bytes <= kMaxFrameRecordBytes && bytes <= left;
}

// Whether the entries tile the record exactly.
bool entries_fit(std::span<const uint64_t> words) {
  const auto* bytes = reinterpret_cast<const char*>(words.data());
  FrameRecord record;
  std::memcpy(&record, bytes, sizeof record);
  uint64_t at = sizeof(FrameRecord);
  for (uint32_t i = 0; i < record.entry_count; ++i) {
    if (words.size_bytes() - at < sizeof(FrameEntry)) return false;
    FrameEntry entry;
    std::memcpy(&entry, bytes + at, sizeof entry);
    const uint64_t whole = sizeof(FrameEntry) + (uint64_t{entry.text_bytes} + 7) / 8 * 8;
    if (whole > words.size_bytes() - at) return false;
    at += whole;
  }
  return at == words.size_bytes();
}

}  // namespace

std::optional<LeftOutEvent> left_out_by(const FrameEntry& entry, std::string_view text) {
  SkipText skip{};
  if (entry.kind != FrameEntryKind::skip || (text.size() != sizeof skip && text.size() != sizeof skip.channel))
    return std::nullopt;
  std::memcpy(&skip, text.data(), text.size());
  return LeftOutEvent{{{skip.channel}, entry.value}, skip.quarantine_entry};
}

DecidedFrame::DecidedFrame(uint64_t frame, uint64_t time_unix_ns, uint64_t seed) : words_(sizeof(FrameRecord) / 8) {
  FrameRecord& record = mutable_record();
  record.frame = frame;
  record.time_unix_ns = time_unix_ns;
  record.seed = seed;
}

std::optional<DecidedFrame> DecidedFrame::parse(std::span<const uint64_t> words) {
  if (words.size_bytes() < sizeof(FrameRecord)) return std::nullopt;
  DecidedFrame frame;
  frame.words_.assign(words.begin(), words.end());
  const FrameRecord& record = frame.record();
  if (record.bytes != words.size_bytes() || record.checksum != checksum_of(frame.words_) || !entries_fit(frame.words_)) {
    return std::nullopt;
  }
  return frame;
}

bool DecidedFrame::add(FrameEntryKind kind, uint16_t slot, uint64_t value, std::string_view text) {
  const size_t text_words = (text.size() + 7) / 8;
  if ((words_.size() + 2 + text_words) * 8 > kMaxFrameRecordBytes) return false;
  const FrameEntry entry{kind, slot, static_cast<uint32_t>(text.size()), value};
  const size_t at = words_.size();
  words_.resize(at + 2 + text_words);
  std::memcpy(words_.data() + at, &entry, sizeof entry);
  if (!text.empty()) std::memcpy(words_.data() + at + 2, text.data(), text.size());
  ++mutable_record().entry_count;
  return true;
}

void DecidedFrame::close() {
  mutable_record().bytes = static_cast<uint32_t>(words_.size() * 8);
  mutable_record().checksum = checksum_of(words_);
}

void DecidedFrame::clear_done() {
  FrameRecord& record = mutable_record();
  record.done = record.outputs_end = record.outputs_hash = record.system_end = record.system_hash = 0;
}

void FrameLogWriter::append(const DecidedFrame& frame) {
  ARENAD_ASSERT(fits(frame.record().bytes));
  last_ = written_;
  std::memcpy(ring_ + (written_ & mask_), frame.words().data(), frame.record().bytes);
  written_ += frame.record().bytes;
  words_.published.store(written_, std::memory_order_release);
}

void FrameLogWriter::mark_done(const FrameEffects& effects) {
  FrameRecord& record = record_at(last_);
  record.outputs_end = effects.outputs_end;
  record.outputs_hash = effects.outputs_hash;
  record.system_end = effects.system_end;
  record.system_hash = effects.system_hash;
  std::atomic_ref<uint64_t>(record.done).store(record.frame, std::memory_order_release);
}

void FrameLogWriter::release_through(uint64_t frame) {
  while (begin_ < written_ && record_at(begin_).frame <= frame) begin_ += record_at(begin_).bytes;
  // Seen before anything is written over the released records.
  words_.begin.store(begin_, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
}

bool FrameLogReader::skip(const FrameLogView& log) {
  const uint64_t end = log.published.load(std::memory_order_acquire);
  if (position_ >= end || end - position_ > log.capacity || position_ % 8 != 0) return false;
  const auto bytes = static_cast<uint32_t>(load_shared<uint64_t>(log.ring + (position_ & (log.capacity - 1))));
  if (!is_length(bytes, end - position_)) return false;
  position_ += bytes;
  return true;
}

FrameLogReader::Step FrameLogReader::next(const FrameLogView& log) {
  const uint64_t end = log.published.load(std::memory_order_acquire);
  if (position_ == end) return Step::end;
  if (position_ > end || end - position_ > log.capacity) return Step::lagged;
  if (position_ % 8 != 0) return Step::corrupt;
  const std::byte* at = log.ring + (position_ & (log.capacity - 1));
  auto overwritten = [&] {
    std::atomic_thread_fence(std::memory_order_acquire);
    return log.begin.load(std::memory_order_relaxed) > position_;
  };
  // done before the effects that it covers
  const uint64_t done = __atomic_load_n(reinterpret_cast<const uint64_t*>(at + offsetof(FrameRecord, done)), __ATOMIC_ACQUIRE);
  const auto first = load_shared<uint64_t>(at);
  const auto bytes = static_cast<uint32_t>(first);
  if (overwritten()) return Step::lagged;
  if (!is_length(bytes, end - position_)) return Step::corrupt;
  buffer_.resize(bytes / 8);
  copy_from_shared(buffer_.data(), at, bytes);
  if (overwritten()) return Step::lagged;
  buffer_[offsetof(FrameRecord, done) / 8] = done;
  frame_ = DecidedFrame::parse(buffer_);
  if (!frame_) return Step::corrupt;
  position_ += bytes;
  return Step::frame;
}

}  // namespace arenad
