#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"

namespace arenad::chaos {

Fault worker_may_open_nothing() {
  return {.name = "worker.may_open_nothing",
          .does = "Half a second with a limit of 5 descriptors for the running worker",
          .holds = "the same worker goes on with those that it has",
          // One that takes over sends each worker a descriptor.
          .needs_arenad = true,
          .inject = [](Stage&, const Strike& strike) { return limit(strike.worker, RLIMIT_NOFILE, 5); },
          .heal = [](Stage&, const Strike& strike) { return lift_limit(strike.worker, RLIMIT_NOFILE); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
