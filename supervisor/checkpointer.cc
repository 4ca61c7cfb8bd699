#include "supervisor/checkpointer.h"

#include <algorithm>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "supervisor/log.h"

namespace arenad {

Checkpointer::Checkpointer(uv_loop_t* loop, FactQueue& facts, Roster& roster, StoreThread& store,
                           const CheckpointConfig& config)
    : roster_(roster),
      store_(store),
      alarm_(config.alarm_ms * kMillisecond),
      timer_(loop, [this, &facts] { facts.post([this] { run(); }); }) {
  timer_.start(config.interval_ms, config.interval_ms);
}

void Checkpointer::configure(const CheckpointConfig& config) {
  alarm_.set_limit(config.alarm_ms * kMillisecond);
  timer_.start(config.interval_ms, config.interval_ms);
}

void Checkpointer::run() {
  // While the store has not taken the last one, newer snapshots wait in shared memory: a later one replaces them.
  if (in_flight_ != 0) {
    for (const auto& [id, arena] : roster_.all()) arena->note_waiting_snapshot();
    return observe();
  }
  // In one transaction, and each with an answer of its own: the database may refuse one.
  std::vector<StoreThread::Submission> submissions;
  for (const auto& entry : roster_.all()) {
    const ArenaId id = entry.first;
    auto checkpoint = entry.second->next_checkpoint();
    if (!checkpoint) continue;
    const FrameNumber frame = checkpoint->frame;
    if (ARENAD_MUTANT("checkpoint.acknowledged_before_commit")) committed(id, frame);
    StoreBatch batch;
    batch.checkpoints.push_back(std::move(*checkpoint));
    submissions.push_back({std::move(batch), [this, id, frame](const Result<void>& result) {
                             --in_flight_;
                             if (result) committed(id, frame);
                             if (in_flight_ == 0) observe();
                           }});
  }
  observe();
  if (submissions.empty()) return;
  ARENAD_CRASH_POINT("arenad.checkpoint.read");
  in_flight_ = submissions.size();
  store_.submit_together(std::move(submissions));
  ARENAD_CRASH_POINT("arenad.checkpoint.submitted");
}

void Checkpointer::committed(ArenaId id, FrameNumber frame) {
  if (Arena* arena = roster_.find(id)) arena->checkpoint_committed(frame);
}

void Checkpointer::observe() {
  const StoreHealth health = store_.health();
  if (health.replacements != replacements_) {
    replacements_ = health.replacements;
    for (const auto& [id, arena] : roster_.all()) arena->save_anew();
  }
  const uint64_t lag = lag_ns();
  const uint64_t failing = health.failing_since_ns ? monotonic_ns() - *health.failing_since_ns : 0;
  switch (alarm_.observe(lag, failing)) {
    case AlarmChange::none:
      break;
    case AlarmChange::raised: {
      const auto behind = std::count_if(roster_.all().begin(), roster_.all().end(),
                                        [](const auto& each) { return each.second->unsaved_since_ns() != 0; });
      log_error(
          "msg=\"the checkpoints of {} arenas have not reached the database for {} ms: a machine that dies now sets them back "
          "so "
          "far; look at the disk\"",
          behind, std::max(lag, failing) / kMillisecond);
      break;
    }
    case AlarmChange::healed:
      log_info("msg=\"checkpoints reach the database in time again\"");
      break;
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
