// A snapshot: the whole state of an arena at the end of a frame. The same bytes in a slot of an incarnation region, in a
// checkpoint in the database and in a recording; it says by itself whose it is and whether it is whole.
//
//   offset  bytes
//        0    256  SnapshotHeader
//      256         cursor_count cursors, 32 bytes each, and behind them their names, padded to 8
//                  the state: one Cap'n Proto segment of state_words words
//
// A slot is 64 bytes of SlotHeader and then a snapshot. A writer first stores published_frame_plus_one = 0, then the snapshot,
// and at last published_frame_plus_one, a release store; it always takes the older of the two slots. So whenever it dies, the
// other slot is whole.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace arenad {

constexpr uint64_t kSnapshotMagic = 0x31504E5341524141;  // "AARASNP1"
constexpr uint32_t kSnapshotLayoutVersion = 1;

struct SnapshotHeader {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t header_bytes;
  uint64_t total_bytes;
  uint64_t checksum;  // XXH3 of the snapshot with this field taken as 0
  uint64_t arena_high;
  uint64_t arena_low;
  uint64_t epoch;
  uint64_t frame;
  uint64_t time_unix_ns;
  uint64_t outputs_position;
  uint64_t outputs_count;
  uint64_t system_position;
  uint64_t system_count;
  uint64_t state_type;
  uint64_t schema_hash;
  uint64_t state_words;
  uint32_t tick_hz;
  uint32_t max_players;
  uint32_t cursor_count;
  uint32_t names_bytes;
  char game[32];
  char game_version[32];
  uint64_t events_applied;
  uint64_t events_rejected;
  uint64_t ended;  // 1: the game has ended the match with this frame
  uint8_t reserved[24];
};
static_assert(sizeof(SnapshotHeader) == 256);

// One channel that had joined, as of the end of the frame.
struct SnapshotCursor {
  uint64_t channel_id;
  uint64_t position;
  uint64_t next_sequence;
  uint16_t slot;
  uint16_t name_bytes;
  uint32_t fate;  // of kRecordsBroken, kKicked, kNotLetIn; 0: it stays
};
// An arenad that knows the first one alone expels whoever has any.
constexpr uint32_t kRecordsBroken = 1;  // its records could not be told apart; it is to be expelled
constexpr uint32_t kKicked = 2;         // by the game; it leaves in the next frame
constexpr uint32_t kNotLetIn = 4;       // the game has not heard of it
static_assert(sizeof(SnapshotCursor) == 32);

struct SlotHeader {
  std::atomic<uint64_t> published_frame_plus_one;  // 0: being written, or never used
  uint8_t unused[56];
};
static_assert(sizeof(SlotHeader) == 64);

}  // namespace arenad
