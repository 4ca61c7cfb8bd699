#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"

namespace arenad::chaos {

Fault spares_killed() {
  return {.name = "spares.killed",
          .does = "SIGKILL to all workers that wait for an arena",
          .holds = "others take their place; no arena notices",
          .prepare = wait_for_spares,
          .inject = [](Stage& stage, const Strike&) { return signal_all(spares(stage), SIGKILL); }};
}

}  // namespace arenad::chaos
