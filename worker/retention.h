// What must be kept for recovery, and when a snapshot is due. Pure.
//
// Records of the frame log and of the channels are kept from the newest durable checkpoint on, so that both slots may be damaged
// and nothing is lost. When that is more than half of what the rings hold (a slow or full disk, a flood of events), the older
// slot's frame is the limit instead: an arena never waits for the disk, it has one rung less for a while, and says so. If the older
// slot is what holds them (no further frame may ever come, because the clients wait for room), the newest state is written there
// too.
#pragma once

#include <cstdint>

#include "arenad/ids.h"

namespace arenad {

// The share of a ring that is in use, of the fullest ring. 0..1.
struct Fullness {
  double kept = 0;            // kept for recovery
  double since_snapshot = 0;  // came in since the last snapshot
};

enum class Release { by_checkpoint, early };

struct Floor {
  FrameNumber frame;  // records up to and including this frame may go
  Release release = Release::by_checkpoint;
};

// durable: newest checkpoint in the database. older_slot: the older of the two snapshots in shared memory, 0 if there is one only.
inline Floor retention_floor(FrameNumber durable, FrameNumber older_slot, const Fullness& fullness) {
  if (fullness.kept > 0.5 && older_slot > durable) return {older_slot, Release::early};
  return {durable, Release::by_checkpoint};
}

// Whether the state that the newer slot has should be written into the older one too.
inline bool second_copy_due(FrameNumber durable, FrameNumber older_slot, FrameNumber newer_slot, const Fullness& fullness) {
  return fullness.kept > 0.5 && older_slot < newer_slot && durable < newer_slot;
}

class SnapshotSchedule {
 public:
  SnapshotSchedule(uint64_t interval_ns, uint64_t now_ns) : interval_ns_(interval_ns), last_ns_(now_ns) {}
  // A quarter of a ring since the last snapshot: with two slots, half of the ring is enough to start again from the older one.
  [[nodiscard]] bool due(uint64_t now_ns, const Fullness& fullness) const {
    return now_ns - last_ns_ >= interval_ns_ || fullness.since_snapshot > 0.25;
  }
  [[nodiscard]] uint64_t due_ns() const { return last_ns_ + interval_ns_; }
  void taken(uint64_t now_ns) { last_ns_ = now_ns; }

 private:
  uint64_t interval_ns_;
  uint64_t last_ns_;
};

}  // namespace arenad
