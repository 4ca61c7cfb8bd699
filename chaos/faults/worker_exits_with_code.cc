#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_exits_with_code() {
  return worker_ends_itself({.name = "worker.exits_with_code",
                             .does = "The worker calls exit() with code 7 in the middle of a frame",
                             .action = CrashAction::exit_with,
                             .argument = 7,
                             .told = "status=7"});
}

}  // namespace arenad::chaos
