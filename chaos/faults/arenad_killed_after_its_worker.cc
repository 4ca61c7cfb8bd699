#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_killed_after_its_worker() {
  return {.name = "arenad.killed_after_its_worker",
          .does = "SIGKILL to the arena's worker, and to arenad before it can have noticed",
          .holds = "the next arenad finds the arena without a worker and takes it up where it was",
          .worker = Ends::must,
          .arenad = Ends::must,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto killed = signal_worker(stage, strike.arena, SIGKILL); !killed) return killed;
            return signal_arenad(stage, SIGKILL);
          }};
}

}  // namespace arenad::chaos
