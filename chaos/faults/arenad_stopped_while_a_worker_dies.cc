#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_stopped_while_a_worker_dies() {
  return {.name = "arenad.stopped_while_a_worker_dies",
          .does = "SIGSTOP to arenad, SIGKILL to the worker, SIGCONT to arenad half a second later",
          .holds = "the worker is replaced when arenad is back",
          .worker = Ends::must,
          .told = "KILL",
          // Whoever asked arenad meanwhile would wait, and nobody would undo it.
          .alone = true,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto stopped = signal_arenad(stage, SIGSTOP); !stopped) return stopped;
            (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) { return signal_arenad(stage, SIGCONT); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
