#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"

namespace arenad::chaos {

Fault worker_may_write_no_file() {
  return {.name = "worker.may_write_no_file",
          .does = "Half a second with a limit of 0 bytes for files of the running worker",
          .holds = "the same worker goes on",
          .inject = [](Stage&, const Strike& strike) { return limit(strike.worker, RLIMIT_FSIZE, 0); },
          .heal = [](Stage&, const Strike& strike) { return lift_limit(strike.worker, RLIMIT_FSIZE); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
