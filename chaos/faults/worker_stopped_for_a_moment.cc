#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_stopped_for_a_moment() {
  return {.name = "worker.stopped_for_a_moment",
          .does = "SIGSTOP to the arena's worker, SIGCONT after a third of the time after which it would count as hanging",
          .holds = "the same worker goes on",
          .stops_workers = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, SIGSTOP); },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            // A compound fault may have ended it.
            (void)signal_worker(stage, strike.arena, SIGCONT);
            return {};
          },
          .heal_after_ms = 300};
}

}  // namespace arenad::chaos
