#include <thread>

#include "chaos/faults/catalogue.h"
#include "chaos/stage.h"
#include "ipc/crash_action.h"

namespace arenad::chaos {

Fault host_all_cores_busy() {
  return {.name = "host.all_cores_busy",
          .does = "Twice as many busy processes as there are cores, for a second",
          .holds = "nothing ends, though everything is late",
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            const unsigned count = 2 * std::thread::hardware_concurrency();
            for (unsigned i = 0; i < count; ++i) {
              auto busy = ChildProcess::fork_for([] { carry_out(CrashAction::burn, 1500); });
              if (!busy) return busy.error();
              stage.helpers().push_back(std::move(*busy));
            }
            return {};
          },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            stage.helpers().clear();
            return {};
          },
          .heal_after_ms = 1000};
}

}  // namespace arenad::chaos
