#include "ipc/outbox.h"

#include <algorithm>

#include <xxhash.h>

#include "arenad/result.h"
#include "ipc/mutant.h"

namespace arenad {

void OutboxWriter::start_at(uint64_t position, uint64_t count) {
  written_ = published_ = position;
  count_ = count;
  words_.begin.store(position, std::memory_order_relaxed);
  words_.reserved.store(position, std::memory_order_relaxed);
  words_.count.store(count, std::memory_order_relaxed);
  words_.published.store(position, std::memory_order_release);
}

void OutboxWriter::take_over(uint64_t begin, const std::byte* bytes) {
  ARENAD_ASSERT(begin <= published_ && written_ == published_);
  const uint64_t from = std::max(begin, published_ - std::min(published_, capacity_));
  copy_from_shared(ring_ + (from & mask_), bytes + (from - begin), published_ - from);
  words_.begin.store(from, std::memory_order_release);
}

void OutboxWriter::keep_from(uint64_t position) {
  keep_from_ = position;
  words_.begin.store(std::min(position, published_), std::memory_order_release);
}

void* OutboxWriter::reserve(uint64_t word_count) {
  const uint64_t bytes = record_bytes(word_count);
  const uint64_t oldest_needed = std::min(published_, keep_from_);
  if (written_ + bytes - oldest_needed > capacity_) return nullptr;
  // Readers check `reserved` after copying: it must be seen before the bytes that this record overwrites. It never goes back: space
  // that was reserved and not used has been zeroed all the same.
  words_.reserved.store(std::max(words_.reserved.load(std::memory_order_relaxed), written_ + bytes), std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  void* words = ring_ + (written_ & mask_) + kRecordHeaderBytes;
  std::memset(words, 0, word_count * 8);
  return words;
}

void OutboxWriter::commit(uint64_t type, uint64_t party, uint64_t word_count) {
  const RecordHeader header{static_cast<uint32_t>(record_bytes(word_count)), 0, ++count_, type, party};
  std::memcpy(ring_ + (written_ & mask_), &header, sizeof header);
  written_ += header.bytes;
}

void OutboxWriter::discard() {
  written_ = published_;
  count_ = words_.count.load(std::memory_order_relaxed);
}

bool OutboxWriter::publish() {
  if (written_ == published_) return false;
  for (uint64_t position = published_; position != written_;) {
    std::byte* record = ring_ + (position & mask_);
    RecordHeader header;
    std::memcpy(&header, record, sizeof header);
    if (!ARENAD_MUTANT("output.published_without_check")) header.check = record_check(header, record + kRecordHeaderBytes);
    std::memcpy(record, &header, sizeof header);
    position += header.bytes;
  }
  published_ = written_;
  words_.count.store(count_, std::memory_order_relaxed);
  words_.published.store(published_, std::memory_order_release);
  return true;
}

uint64_t OutboxWriter::pending_hash() const {
  return XXH3_64bits(at(published_), written_ - published_);
}

OutboxReader::Step OutboxReader::next(const StreamView& stream) {
  const uint64_t mask = stream.capacity - 1;
  const uint64_t end = stream.published.load(std::memory_order_acquire);
  if (position_ == end) return Step::end;
  if (position_ > end) return Step::ahead;
  if (position_ % 8 != 0) return Step::corrupt;
  if (position_ < stream.begin.load(std::memory_order_relaxed) || end - position_ > stream.capacity) return Step::lagged;

  auto overwritten = [&] {
    std::atomic_thread_fence(std::memory_order_acquire);
    return stream.reserved.load(std::memory_order_relaxed) - position_ > stream.capacity;
  };
  const auto header = load_shared<RecordHeader>(stream.ring + (position_ & mask));
  if (overwritten()) return Step::lagged;
  if (!plausible_record(header, end - position_, maximum_bytes_)) return Step::corrupt;
  buffer_.resize(header.bytes / 8);
  copy_from_shared(buffer_.data(), stream.ring + (position_ & mask), header.bytes);
  if (overwritten()) return Step::lagged;
  std::memcpy(&header_, &header, sizeof header);
  std::memcpy(buffer_.data(), &header, sizeof header);
  if (!is_undamaged(header_, words())) return Step::damaged;
  position_ += header.bytes;
  return Step::record;
}

}  // namespace arenad
