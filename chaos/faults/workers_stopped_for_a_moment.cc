#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault workers_stopped_for_a_moment() {
  return {.name = "workers.stopped_for_a_moment",
          .does = "SIGSTOP to all workers at once, SIGCONT after a third of the time after which they would count as hanging",
          .holds = "the same workers go on",
          .stops_workers = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGSTOP);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGCONT);
            return {};
          },
          .heal_after_ms = 300};
}

}  // namespace arenad::chaos
