#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_sleeps() {
  return {
      .name = "worker.sleeps",
      .does = "The worker sleeps in a frame, for a third of the time after which it would count as hanging",
      .holds = "the same worker goes on",
      .missing = without_crash_points,
      .prepare = wait_for_trap,
      .inject = [](Stage& stage,
                   const Strike& strike) { return trap_worker(stage, strike, "frame.tick.before", CrashAction::sleep, 300); },
      .fired = worker_trap_fired};
}

}  // namespace arenad::chaos
