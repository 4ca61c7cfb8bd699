#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_hangs() {
  return worker_ends_itself({.name = "worker.hangs",
                             .does = "The worker runs in an endless loop",
                             .action = CrashAction::hang,
                             .told = "did not move"});
}

}  // namespace arenad::chaos
