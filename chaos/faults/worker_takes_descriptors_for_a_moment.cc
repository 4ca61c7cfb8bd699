#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_takes_descriptors_for_a_moment() {
  return {.name = "worker.takes_descriptors_for_a_moment",
          .does = "The worker takes all descriptors that it may have, and gives them back 50 ms later",
          .holds = "the same worker goes on",
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject =
              [](Stage& stage, const Strike& strike) {
                return trap_worker(stage, strike, "frame.tick.before", CrashAction::take_descriptors, 50);
              },
          .fired = worker_trap_fired};
}

}  // namespace arenad::chaos
