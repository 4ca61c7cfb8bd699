#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_writes_file() {
  return worker_breaks_cage(
      {.name = "cage.writes_file", .does = "The worker makes a file", .action = CrashAction::write_file, .told = "openat"});
}

}  // namespace arenad::chaos
