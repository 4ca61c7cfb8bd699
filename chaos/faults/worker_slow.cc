#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_slow() {
  return {.name = "worker.slow",
          .does = "A frame of the worker takes 90 to 300 % of the time until the next one",
          .holds = "the same worker goes on",
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject =
              [](Stage& stage, const Strike& strike) {
                return trap_worker(stage, strike, "frame.tick.before", CrashAction::burn,
                                   1000 / 60 * (90 + strike.draw % 211) / 100);
              },
          .fired = worker_trap_fired};
}

}  // namespace arenad::chaos
