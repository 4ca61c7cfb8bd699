#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_writes_to_code() {
  return worker_ends_itself({.name = "worker.writes_to_code",
                             .does = "The worker writes over its own code",
                             .action = CrashAction::write_to_code,
                             .told = "no right to address"});
}

}  // namespace arenad::chaos
