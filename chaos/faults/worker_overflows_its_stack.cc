#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_overflows_its_stack() {
  return worker_ends_itself({.name = "worker.overflows_its_stack",
                             .does = "The worker calls itself until its stack has no room",
                             .action = CrashAction::overflow_stack,
                             .told = "SEGV"});
}

}  // namespace arenad::chaos
