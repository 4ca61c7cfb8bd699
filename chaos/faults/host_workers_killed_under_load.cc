#include <csignal>
#include <thread>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/crash_action.h"

namespace arenad::chaos {

Fault host_workers_killed_under_load() {
  return {.name = "host.workers_killed_under_load",
          .does = "Twice as many busy processes as there are cores, and SIGKILL to all workers",
          .holds = "every arena goes on, if late, and arenad lives",
          .worker = Ends::must,
          .other_workers = Ends::must,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            const unsigned count = 2 * std::thread::hardware_concurrency();
            for (unsigned i = 0; i < count; ++i) {
              auto busy = ChildProcess::fork_for([] { carry_out(CrashAction::burn, 1500); });
              if (!busy) return busy.error();
              stage.helpers().push_back(std::move(*busy));
            }
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGKILL);
            return {};
          },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            stage.helpers().clear();
            return {};
          },
          .heal_after_ms = 1000};
}

}  // namespace arenad::chaos
