#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_takes_all_descriptors() {
  return {.name = "worker.takes_all_descriptors",
          .does = "The worker takes all descriptors that it may have, and is killed half a second later",
          .holds = "it plays on, and its successor takes over from it",
          .worker = Ends::must,
          // One that takes over sends each worker a descriptor.
          .needs_arenad = true,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject =
              [](Stage& stage, const Strike& strike) {
                return trap_worker(stage, strike, "frame.tick.before", CrashAction::take_descriptors);
              },
          .fired = worker_trap_fired,
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            // A compound fault may have ended it.
            if (stage.arenas()[strike.arena].worker == strike.worker) (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
