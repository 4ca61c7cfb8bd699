#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"

namespace arenad::chaos {

Fault worker_may_grow_no_stack() {
  return {.name = "worker.may_grow_no_stack",
          .does = "Half a second with a limit of one page of stack for the running worker",
          .holds = "what it has is enough, or the next worker goes on from the newest snapshot and the log",
          .worker = Ends::may,
          .inject = [](Stage&, const Strike& strike) { return limit(strike.worker, RLIMIT_STACK, 4096); },
          .heal = [](Stage&, const Strike& strike) { return lift_limit(strike.worker, RLIMIT_STACK); },
          .heal_after_ms = 500,
          .settled = arena_runs};
}

}  // namespace arenad::chaos
