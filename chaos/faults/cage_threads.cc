#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_threads() {
  return worker_breaks_cage({.name = "cage.threads",
                             .does = "The worker starts threads for ever",
                             .action = CrashAction::start_threads,
                             .told = "SYS"});
}

}  // namespace arenad::chaos
