#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault workers_killed() {
  return {.name = "workers.killed",
          .does = "SIGKILL to all workers at once",
          .holds = "every arena goes on, and arenad lives",
          .worker = Ends::must,
          .other_workers = Ends::must,
          .told = "KILL",
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGKILL);
            return {};
          }};
}

}  // namespace arenad::chaos
