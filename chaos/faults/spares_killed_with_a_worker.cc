#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault spares_killed_with_a_worker() {
  return {.name = "spares.killed_with_a_worker",
          .does = "SIGKILL to all workers that wait for an arena, and to the arena's worker",
          .holds = "the next worker is forked for it",
          .worker = Ends::must,
          .told = "KILL",
          .prepare = wait_for_spares,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            (void)signal_all(spares(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          }};
}

}  // namespace arenad::chaos
