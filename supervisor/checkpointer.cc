#include "supervisor/checkpointer.h"

#include <algorithm>

#include "ipc/clock.h"
#include "ipc/crash_point.h"

namespace arenad {

Checkpointer::Checkpointer(uv_loop_t* loop, FactQueue& facts, Roster& roster, StoreThread& store, uint64_t interval_ms)
    : roster_(roster), store_(store), timer_(loop, [this, &facts] { facts.post([this] { run(); }); }) {
  timer_.start(interval_ms, interval_ms);
}

void Checkpointer::run() {
  // While the store has not taken the last one, newer snapshots wait in shared memory: a later one replaces them.
  if (in_flight_) return;
  StoreBatch batch;
  std::vector<std::pair<ArenaId, FrameNumber>> frames;
  for (const auto& [id, arena] : roster_.all()) {
    if (auto checkpoint = arena->next_checkpoint()) {
      frames.emplace_back(id, checkpoint->frame);
      batch.checkpoints.push_back(std::move(*checkpoint));
    }
  }
  if (batch.empty()) return;
  ARENAD_CRASH_POINT("arenad.checkpoint.read");
  in_flight_ = true;
  store_.submit(std::move(batch), [this, frames = std::move(frames)](const Result<void>& result) {
    in_flight_ = false;
    if (result) committed(frames);
  });
  ARENAD_CRASH_POINT("arenad.checkpoint.submitted");
}

void Checkpointer::committed(const std::vector<std::pair<ArenaId, FrameNumber>>& checkpoints) {
  for (const auto& [id, frame] : checkpoints) {
    if (Arena* arena = roster_.find(id)) arena->checkpoint_committed(frame);
  }
}

uint64_t Checkpointer::lag_ns() const {
  const uint64_t now = monotonic_ns();
  uint64_t oldest = 0;
  for (const auto& [id, arena] : roster_.all()) {
    if (arena->unsaved_since_ns() != 0) oldest = std::max(oldest, now - arena->unsaved_since_ns());
  }
  return oldest;
}

}  // namespace arenad
