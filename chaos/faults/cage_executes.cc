#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_executes() {
  return worker_breaks_cage({.name = "cage.executes",
                             .does = "The worker executes another program",
                             .action = CrashAction::execute,
                             .told = "execve"});
}

}  // namespace arenad::chaos
