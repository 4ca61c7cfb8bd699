#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_truncates_memory() {
  return worker_breaks_cage({.name = "cage.truncates_memory",
                             .does = "The worker makes all memory that it shares shorter, and longer",
                             .action = CrashAction::truncate_memory,
                             .told = "ftruncate"});
}

}  // namespace arenad::chaos
