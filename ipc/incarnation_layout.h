// The region of one incarnation of an arena. Its only writer is the worker that is this incarnation.
//
//   offset   bytes
//        0     256  identity: magic, layout version, size, where the parts lie, arena, epoch. Constant once stage > blank
//      256    3840  status: stage, streams' ends, frame, counters (WorkerStatus)
//     4096    8192  channel table: one entry for each slot (ChannelEntry)
//    12288    8192  black box (black_box_layout.h)
//    20480          frame log ring, output ring, system ring, snapshot slot 0, snapshot slot 1, script notes (script_notes_layout.h), as the
//                   identity says
//
// Order of the stores of a frame, each a release store, is what makes every death recoverable:
//   1. log_published      the frame's record: what it is going to take
//   2. outputs_published  what it gave to the clients
//   3. system_published   what it gave to arenad
//   4. the record's done mark with the hash of its outputs, then frame_done
//   5. a slot's published_frame, if a snapshot was due
// Dying before 1, the frame never was. Between 1 and 4, the next incarnation runs it again from the record; consumers know by position
// what they have. After 4, it also compares the outputs.
//
// Streams are written behind their published end, into space that held old records. `*_reserved` is raised before that, so that
// a reader who copied a record can tell that it was being overwritten meanwhile; for the frame log, `log_begin` does this.
#pragma once

#include <atomic>
#include <cstdint>

#include "ipc/histogram.h"
#include "ipc/limits.h"
#include "ipc/region.h"
#include "ipc/time_buckets.h"

namespace arenad {

constexpr uint64_t kIncarnationMagic = 0x31434E4941415241;  // "ARAAINC1"
constexpr uint32_t kIncarnationLayoutVersion = 2;
constexpr uint64_t kApplyingSignal = UINT64_MAX;  // in applying_channel: a signal, of which applying_sequence is the number

struct Place {
  uint64_t offset;
  uint64_t bytes;
};

// Written once; `stage` in the status publishes it.
struct IncarnationIdentity {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t header_bytes;
  uint64_t region_bytes;
  Place frame_log;
  Place outputs;
  Place system;
  Place slots[2];
  uint64_t arena_high;
  uint64_t arena_low;
  uint64_t epoch;
  uint64_t schema_hash;
  uint32_t tick_hz;
  uint32_t max_players;
  uint32_t pid;
  uint32_t restarts;   // of the arena, before this incarnation; 0 of a worker that knows nothing of it
  uint64_t code_high;  // CodeHash of the version: module and runtime
  uint64_t code_low;
  char version[32];    // the module's own; ends with a zero
  Place script_notes;  // all zero: none, in a region of a worker that knows nothing of them
  uint8_t reserved[40];
};
static_assert(sizeof(IncarnationIdentity) == 256);

enum class Stage : uint32_t {
  blank = 0,       // a spare: no arena yet
  recovering = 1,  // loading a snapshot, running logged frames again
  live = 2,        // frames are decided and run
  finished = 3,    // stopped as asked, at the end of a frame, with a snapshot of it
  ended = 4,       // the game ended the match
};

enum class Phase : uint32_t { waiting = 0, deciding = 1, applying = 2, ticking = 3, publishing = 4, snapshotting = 5 };

// Of a value from a status block, which may be anything.
constexpr const char* phase_name(uint32_t phase) {
  switch (static_cast<Phase>(phase)) {
    case Phase::waiting:
      return "waiting";
    case Phase::deciding:
      return "deciding";
    case Phase::applying:
      return "applying";
    case Phase::ticking:
      return "ticking";
    case Phase::publishing:
      return "publishing";
    case Phase::snapshotting:
      return "snapshotting";
  }
  return "unknown";
}

// Which rung of the recovery ladder an incarnation started from (state/recovery_ladder.h).
enum class Rung : uint32_t { none = 0, init = 1, newest_slot = 2, older_slot = 3, checkpoint = 4 };

// Of a value from a status block, which may be anything.
constexpr const char* rung_name(uint32_t rung) {
  switch (static_cast<Rung>(rung)) {
    case Rung::none:
      return "";
    case Rung::init:
      return "init";
    case Rung::newest_slot:
      return "newest slot";
    case Rung::older_slot:
      return "older slot";
    case Rung::checkpoint:
      return "checkpoint";
  }
  return "unknown";
}

// Every word is written by the worker alone.
struct WorkerStatus {
  std::atomic<uint32_t> stage;      // Stage
  std::atomic<uint32_t> asleep;     // 1: ring a doorbell after publishing to this worker
  std::atomic<uint64_t> log_begin;  // the oldest record that is kept; raised before anything older is overwritten
  std::atomic<uint64_t> log_published;
  uint8_t pad_a[40];

  std::atomic<uint64_t> outputs_published;  // low half: the clients' futex
  std::atomic<uint64_t> outputs_begin;      // the first position that this incarnation's ring ever had
  std::atomic<uint64_t> outputs_reserved;
  std::atomic<uint64_t> outputs_count;  // sequence of the last published output
  uint8_t pad_b[32];

  std::atomic<uint64_t> system_published;
  std::atomic<uint64_t> system_begin;  // what comes before is durable
  std::atomic<uint64_t> system_reserved;
  std::atomic<uint64_t> system_count;
  uint8_t pad_c[32];

  std::atomic<uint64_t> frame_decided;
  std::atomic<uint64_t> frame_done;
  std::atomic<uint64_t> heartbeat_ns;      // monotonic; when the last frame was begun
  std::atomic<uint64_t> applying_channel;  // ChannelId of the event being applied, 0: none; kApplyingSignal
  std::atomic<uint64_t> applying_sequence;
  std::atomic<uint32_t> phase;  // Phase
  uint32_t pad_d;
  std::atomic<uint64_t> applying_position;  // of its record in the channel's stream
  std::atomic<uint64_t> beats;              // raised whenever the worker gets anywhere: what arenad watches it by

  // Of the arena's whole life: an incarnation goes on from its snapshot's.
  std::atomic<uint64_t> events_applied;
  std::atomic<uint64_t> events_rejected;

  // Of this incarnation.
  std::atomic<uint64_t> frames;           // decided and run; those that were run again are in replayed_frames
  std::atomic<uint64_t> outputs_refused;  // did not fit in the ring
  std::atomic<uint64_t> frames_late;      // began more than a tick late
  std::atomic<uint64_t> frame_ns_total;
  std::atomic<uint64_t> frame_ns_max;
  std::atomic<uint64_t> snapshots;
  std::atomic<uint64_t> snapshots_failed;  // the state did not fit in a slot
  std::atomic<uint64_t> snapshot_ns_total;
  std::atomic<uint64_t> snapshot_ns_max;
  std::atomic<uint64_t> snapshot_bytes;  // the last one
  std::atomic<uint64_t> snapshot_frame;  // the last one
  std::atomic<uint64_t> released_early;  // 1: records were released by a snapshot, before a checkpoint covered them
  std::atomic<uint64_t> frames_slow;     // took longer than the soft limit

  // How this incarnation began.
  std::atomic<uint32_t> rung;  // Rung
  uint32_t pad_f;
  std::atomic<uint64_t> restored_frame;
  std::atomic<uint64_t> replayed_frames;
  std::atomic<uint64_t> replayed_events;
  std::atomic<uint64_t> divergences;  // frames whose outputs differed when they were run again
  std::atomic<uint64_t> first_divergent_frame;
  std::atomic<uint64_t> recovery_ns;  // from the assignment to the first new frame being decided
  std::atomic<uint64_t> live_since_unix_ns;
  std::atomic<uint64_t> first_frame_published_ns;  // monotonic: the first new frame's outputs were published
  std::atomic<uint64_t> newest_joined;             // ChannelId: no frame of the arena has let in a later one
  std::atomic<uint64_t> taken_back_from;  // FrameNumber + 1: after it frames of other code were run again; 0: none were
  std::atomic<uint64_t> loaded_ns;        // monotonic: its state was loaded, and what is left is to run logged frames again
  std::atomic<uint64_t> garbage_put_off;  // how often the game's language had no time to collect, up to its bound
  uint8_t pad_g[16];

  std::atomic<uint64_t> lateness_us[kHistogramBuckets];  // how late ticks began

  // For metrics; 0 in a region of a worker that knows nothing of them. Of this incarnation.
  std::atomic<uint64_t> frame_time[kTimeBuckets];     // frames by how long they took
  std::atomic<uint64_t> tick_lateness[kTimeBuckets];  // ticks by how late they began
  std::atomic<uint64_t> lateness_ns_total;
  std::atomic<uint64_t> snapshot_taken_ns;      // monotonic; the last one
  std::atomic<uint64_t> channels_full;          // how often a client found its channel full, as the clients count it
  std::atomic<uint64_t> channel_waiting_bytes;  // at the last snapshot: published and not taken yet, in all channels
  std::atomic<uint64_t> output_lag_bytes;       // at the last snapshot: published and not read yet, by the slowest client
};
static_assert(offsetof(WorkerStatus, outputs_published) == 64);
static_assert(offsetof(WorkerStatus, system_published) == 128);
static_assert(offsetof(WorkerStatus, frame_decided) == 192);
static_assert(offsetof(WorkerStatus, events_applied) == 256);
static_assert(offsetof(WorkerStatus, lateness_us) == 496);
static_assert(offsetof(WorkerStatus, frame_time) == 2416);
static_assert(sizeof(WorkerStatus) <= 3840);

enum class RejectReason : uint32_t {
  none = 0,
  malformed = 1,     // not a message of its type: the event was not applied
  unknown_type = 2,  // the game knows no such event: it was not applied
  broken_ring = 3,   // the channel's records cannot be told apart any more: it was closed
  quarantined = 4,   // it had killed the worker twice, or the game blames it: it is kept in quarantine
  damaged = 5,       // its check is not that of its bytes: it was not applied
};

struct ChannelEntry {
  std::atomic<uint64_t> channel_id;  // 0: the slot is free
  std::atomic<uint64_t> taken;       // StreamPosition: decided up to here
  std::atomic<uint64_t> released;    // StreamPosition: the client may overwrite up to here
  std::atomic<uint64_t> applied;     // events applied
  std::atomic<uint64_t> rejected;    // events not applied
  std::atomic<uint64_t> last_rejected_sequence;
  std::atomic<uint32_t> last_reject_reason;  // RejectReason
  uint32_t unused;
  uint64_t unused_b;
};
static_assert(sizeof(ChannelEntry) == 64);

constexpr uint64_t kStatusOffset = 256;
constexpr uint64_t kChannelTableOffset = 4096;
constexpr uint64_t kBlackBoxOffset = 12288;
constexpr uint64_t kBlackBoxBytes = 8192;
constexpr uint64_t kFirstPartOffset = kBlackBoxOffset + kBlackBoxBytes;
static_assert(kChannelTableOffset + limits::kMaxSlots * sizeof(ChannelEntry) == kBlackBoxOffset);

}  // namespace arenad
