// Makes durable what has changed: once an interval, one transaction with the newest snapshot of every arena. The store merges what comes while it is busy, so a slow disk makes checkpoints rarer and holds up nothing.
#pragma once

#include "supervisor/roster.h"

namespace arenad {

class Checkpointer {
 public:
  Checkpointer(uv_loop_t* loop, FactQueue& facts, Roster& roster, StoreThread& store, uint64_t interval_ms);
  void close() { timer_.close(); }
  // All that has changed, now.
  void run();
  // How long the oldest snapshot has waited for the database; 0: nothing waits.
  [[nodiscard]] uint64_t lag_ns() const;

 private:
  void committed(const std::vector<std::pair<ArenaId, FrameNumber>>& checkpoints);
  Roster& roster_;
  StoreThread& store_;
  bool in_flight_ = false;
  UvTimer timer_;
};

}  // namespace arenad
