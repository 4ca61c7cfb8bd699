#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_may_open_nothing() {
  return {.name = "arenad.may_open_nothing",
          .does = "No further descriptor for arenad for half a second, while the arena's worker is killed",
          .holds = "arenad lives, other workers play, and the arena comes back when there are descriptors again",
          .worker = Ends::must,
          // It can start no worker meanwhile either, and may say so instead of how the last one ended.
          .alone = true,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const pid_t arenad = stage.rig().arenad();
            if (auto limited = limit(arenad, RLIMIT_NOFILE, open_descriptors(arenad)); !limited) return limited;
            (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) { return lift_limit(stage.rig().arenad(), RLIMIT_NOFILE); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
