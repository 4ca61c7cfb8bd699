// Makes durable what has changed: once an interval, one transaction with the newest snapshot of every arena. The store merges what comes
// while it is busy, so a slow disk makes checkpoints rarer and holds up nothing. When another file has taken the database's place, every
// arena is written into it anew.
#pragma once

#include "supervisor/checkpoint_alarm.h"
#include "supervisor/roster.h"

namespace arenad {

class Checkpointer {
 public:
  Checkpointer(uv_loop_t* loop, FactQueue& facts, Roster& roster, StoreThread& store, const CheckpointConfig& config);
  void close() { timer_.close(); }
  // Goes by a changed configuration: an interval begins now.
  void configure(const CheckpointConfig& config);
  // All that has changed, now.
  void run();
  // How long the oldest snapshot, record or result has waited for the database; 0: nothing waits.
  [[nodiscard]] uint64_t lag_ns() const;
  [[nodiscard]] bool is_alarmed() const { return alarm_.is_raised(); }

 private:
  void committed(ArenaId id, FrameNumber frame);
  void observe();

  Roster& roster_;
  StoreThread& store_;
  size_t in_flight_ = 0;       // checkpoints that the store has not taken yet
  uint64_t replacements_ = 0;  // those that have been answered
  CheckpointAlarm alarm_;
  UvTimer timer_;
};

}  // namespace arenad
