#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault everybody_stopped_for_a_moment() {
  return {.name = "everybody.stopped_for_a_moment",
          .does = "SIGSTOP to keeper, arenad and all workers, SIGCONT two seconds later, as when the machine slept",
          .holds = "the same processes go on; none counts as hanging",
          // Whoever asked arenad meanwhile would wait, and nobody would undo it.
          .alone = true,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            if (auto stopped = signal_keeper(stage, SIGSTOP); !stopped) return stopped;
            (void)signal_arenad(stage, SIGSTOP);
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGSTOP);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGCONT);
            (void)signal_arenad(stage, SIGCONT);
            return signal_keeper(stage, SIGCONT);
          },
          .heal_after_ms = 2000};
}

}  // namespace arenad::chaos
