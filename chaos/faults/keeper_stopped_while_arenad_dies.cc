#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault keeper_stopped_while_arenad_dies() {
  return {.name = "keeper.stopped_while_arenad_dies",
          .does = "SIGSTOP to the keeper, SIGKILL to arenad, SIGCONT to the keeper half a second later",
          .holds = "workers play on without an arenad, and the next one adopts them all",
          .arenad = Ends::must,
          // Without the keeper there may be no arenad for whoever asks one.
          .alone = true,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            if (auto stopped = signal_keeper(stage, SIGSTOP); !stopped) return stopped;
            (void)signal_arenad(stage, SIGKILL);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) { return signal_keeper(stage, SIGCONT); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
