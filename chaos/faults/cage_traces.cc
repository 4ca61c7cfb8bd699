#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_traces() {
  return worker_breaks_cage(
      {.name = "cage.traces", .does = "The worker asks to be traced", .action = CrashAction::trace, .told = "ptrace"});
}

}  // namespace arenad::chaos
