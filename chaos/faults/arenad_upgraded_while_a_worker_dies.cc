#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_upgraded_while_a_worker_dies() {
  return {.name = "arenad.upgraded_while_a_worker_dies",
          .does = "SIGUSR2 to arenad, which gives over to its own program, and SIGKILL to the arena's worker at the same time",
          .holds = "the worker is replaced by one of the two",
          .worker = Ends::must,
          .told = "KILL",
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto asked = tell_arenad_to_upgrade(stage, strike); !asked) return asked;
            return signal_worker(stage, strike.arena, SIGKILL);
          }};
}

}  // namespace arenad::chaos
