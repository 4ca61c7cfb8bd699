// The frame log: what an incarnation decided for each frame, written before the frame runs. A ring of records in the incarnation
// region; its positions start at 0 in each incarnation.
//
//   offset  bytes
//        0      4  bytes         the whole record; a multiple of 8
//        4      4  entry_count
//        8      8  frame         consecutive records have consecutive frames
//       16      8  time_unix_ns  the time that the game sees
//       24      8  seed          the randomness that the game sees
//       32      8  checksum      XXH3 of the record from offset 0 to 32 and from 80 on
//       40      8  done          0, or the frame's number once all of its effects are published
//       48      8  outputs_end   with done: position behind the frame's outputs
//       56      8  outputs_hash  with done: XXH3 of the frame's outputs
//       64      8  system_end    with done: position behind the frame's system records
//       72      8  system_hash   with done
//       80         entries, each 16 bytes and its text, padded to 8
//
// Entries are applied in the order in which they stand. The game's tick follows the last one. `skip` is for the whole frame, and
// comes in when a frame that killed its worker is run again: it then stands in the record of the next incarnation, so that whoever
// runs the frame later does the same.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenad {

enum class FrameEntryKind : uint16_t {
  take = 1,    // slot's events up to stream position `value`
  join = 2,    // channel id `value` takes slot; text: the player's name
  leave = 3,   // slot's channel goes, for reason `value` (arenad_leave_reason)
  drain = 4,   // the match should end by Unix nanoseconds `value`
  skip = 5,    // this frame does not apply event `value` of a channel: it is in quarantine; text: SkipText
  retry = 6,   // an event from quarantine, entry `value`, for slot's player; text: RetryHead, then the message
  signal = 7,  // number `value`, for the game; text: its name, a newline, its payload
};

struct FrameEntry {
  FrameEntryKind kind;
  uint16_t slot;
  uint32_t text_bytes;
  uint64_t value;
};
static_assert(sizeof(FrameEntry) == 16);

// Whose event it is that is left out. Workers of before wrote the channel alone.
struct SkipText {
  uint64_t channel;
  uint64_t quarantine_entry;  // its number there, so that it is known though the database may not have it yet; 0: not told
};
static_assert(sizeof(SkipText) == 16);

// An event that is applied once more, with what it was when it came first.
constexpr uint16_t kNobodysSlot = UINT16_MAX;  // of a retry whose player was not there

struct RetryHead {
  uint64_t channel;
  uint64_t sequence;
  uint64_t type;
};
static_assert(sizeof(RetryHead) == 24);

struct FrameRecord {
  uint32_t bytes;
  uint32_t entry_count;
  uint64_t frame;
  uint64_t time_unix_ns;
  uint64_t seed;
  uint64_t checksum;
  uint64_t done;
  uint64_t outputs_end;
  uint64_t outputs_hash;
  uint64_t system_end;
  uint64_t system_hash;
};
static_assert(sizeof(FrameRecord) == 80);
static_assert(offsetof(FrameRecord, checksum) == 32 && offsetof(FrameRecord, done) == 40);

// What a frame left behind; comparing two of these tells whether running it again gave the same.
struct FrameEffects {
  uint64_t outputs_end = 0;
  uint64_t outputs_hash = 0;
  uint64_t system_end = 0;
  uint64_t system_hash = 0;
  bool operator==(const FrameEffects&) const = default;
};

constexpr uint64_t kMaxFrameRecordBytes = 80 * 1024;  // an event of 64 KiB that is tried again lies in it

}  // namespace arenad
