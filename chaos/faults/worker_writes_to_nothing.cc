#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_writes_to_nothing() {
  return worker_ends_itself({.name = "worker.writes_to_nothing",
                             .does = "The worker writes to an address where nothing is mapped",
                             .action = CrashAction::write_to_nothing,
                             .told = "is not mapped"});
}

}  // namespace arenad::chaos
