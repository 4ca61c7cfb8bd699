#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_very_slow() {
  return {
      .name = "worker.very_slow",
      .does = "A frame of the worker takes more than half of the time after which it would count as hanging",
      .holds = "the same worker goes on",
      .missing = without_crash_points,
      .prepare = wait_for_trap,
      .inject = [](Stage& stage,
                   const Strike& strike) { return trap_worker(stage, strike, "frame.tick.before", CrashAction::burn, 550); },
      .fired = worker_trap_fired};
}

}  // namespace arenad::chaos
