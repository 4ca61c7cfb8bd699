#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_killed_before_its_worker() {
  return {.name = "arenad.killed_before_its_worker",
          .does = "SIGKILL to arenad, and to the arena's worker while there is none",
          .holds = "the next arenad finds the arena without a worker and takes it up where it was",
          .worker = Ends::must,
          .arenad = Ends::must,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto killed = signal_arenad(stage, SIGKILL); !killed) return killed;
            (void)signal_worker(stage, strike.arena, SIGKILL);  // it may be ending already
            return {};
          }};
}

}  // namespace arenad::chaos
