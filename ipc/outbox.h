// Streams of records from an arena to many readers: its outputs to the clients, its results to arenad.
//
// The writer never waits for anyone. Each reader has a position of its own; who falls behind by more than the ring holds is told
// so. Positions and sequence numbers go on through all incarnations of an arena: when frames are run again, their outputs come to
// lie at the same positions, so a reader that has read up to a position is given nothing twice and misses nothing,
// whichever incarnation's ring it reads from.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "ipc/record.h"

namespace arenad {

// The words of a stream in the status of an incarnation.
struct StreamWords {
  std::atomic<uint64_t>& published;
  std::atomic<uint64_t>& begin;
  std::atomic<uint64_t>& reserved;
  std::atomic<uint64_t>& count;
};

class OutboxWriter {
 public:
  OutboxWriter(std::byte* ring, uint64_t capacity, StreamWords words)
      : ring_(ring), capacity_(capacity), mask_(capacity - 1), words_(words) {}

  // Begins, or goes on from a snapshot, at this position, having written this many records. Nothing is readable yet.
  void start_at(uint64_t position, uint64_t count);
  // Right after that: what an earlier incarnation had published from `begin` up to this position becomes readable here too, as far as there
  // is room for it.
  void take_over(uint64_t begin, const std::byte* bytes);

  // Zeroed space for one record's words; nullptr if this frame's records would fill the ring, or if the stream keeps records
  // (keep_from) that would be overwritten.
  void* reserve(uint64_t word_count);
  void commit(uint64_t type, uint64_t party, uint64_t word_count);

  // Records from here on are not overwritten, and those before are not needed any more: a new reader begins here (system stream).
  // Outputs keep nothing.
  void keep_from(uint64_t position);

  // Forgets what is committed and not published.
  void discard();
  // Everything committed becomes readable. Returns whether there was anything.
  bool publish();
  // XXH3 (github.com/Cyan4973/xxHash) of what is committed and not published: as the game gave it, without the records' checks.
  [[nodiscard]] uint64_t pending_hash() const;
  [[nodiscard]] uint64_t written() const { return written_; }
  [[nodiscard]] uint64_t published() const { return published_; }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] const std::byte* at(uint64_t position) const { return ring_ + (position & mask_); }

 private:
  std::byte* ring_;
  uint64_t capacity_;
  uint64_t mask_;
  StreamWords words_;
  uint64_t written_ = 0;
  uint64_t published_ = 0;
  uint64_t count_ = 0;
  uint64_t keep_from_ = UINT64_MAX;
};

struct StreamView {
  const std::byte* ring;
  uint64_t capacity;
  const std::atomic<uint64_t>& published;
  const std::atomic<uint64_t>& begin;
  const std::atomic<uint64_t>& reserved;
};

// Reads records at a position into private memory. Knows nothing about incarnations; client.cc and the supervisor change views.
class OutboxReader {
 public:
  explicit OutboxReader(uint64_t maximum_record_bytes) : maximum_bytes_(maximum_record_bytes) {}

  enum class Step {
    record,   // header() and words() hold the next record; the position is behind it
    end,      // nothing more is published
    lagged,   // what lies at the position is overwritten; skip_to() somewhere newer
    ahead,    // the position lies behind the published end: this view is older than what was read
    damaged,  // what lies at the position is not what was published; it ends where header() says, if that is still true
    corrupt,  // the writer has broken its stream, or its memory is damaged: no record can be found any more
  };
  Step next(const StreamView& stream);

  void skip_to(uint64_t position) { position_ = position; }
  [[nodiscard]] uint64_t position() const { return position_; }
  [[nodiscard]] const RecordHeader& header() const { return header_; }
  [[nodiscard]] const void* words() const { return buffer_.data() + kRecordHeaderBytes / 8; }
  [[nodiscard]] uint64_t word_count() const { return record_words(header_.bytes); }
  // The whole record, header included, as it was in the ring.
  [[nodiscard]] const void* record() const { return buffer_.data(); }

 private:
  uint64_t maximum_bytes_;
  uint64_t position_ = 0;
  RecordHeader header_{};
  std::vector<uint64_t> buffer_;
};

}  // namespace arenad
