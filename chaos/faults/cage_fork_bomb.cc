#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_fork_bomb() {
  return worker_breaks_cage(
      {.name = "cage.fork_bomb", .does = "The worker forks for ever", .action = CrashAction::fork_forever, .told = "SYS"});
}

}  // namespace arenad::chaos
