#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_may_allocate_nothing() {
  return {.name = "arenad.may_allocate_nothing",
          .does = "No further private memory for arenad for half a second, while the arena's worker is killed",
          .holds = "arenad does without, or the next one takes everything up",
          .worker = Ends::must,
          .arenad = Ends::may,
          // It can start no worker meanwhile either, and may say so instead of how the last one ended.
          .alone = true,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto limited = limit(stage.rig().arenad(), RLIMIT_DATA, 4096); !limited) return limited;
            (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) { return lift_limit(stage.rig().arenad(), RLIMIT_DATA); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
