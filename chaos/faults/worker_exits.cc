#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_exits() {
  return worker_ends_itself({.name = "worker.exits",
                             .does = "The worker ends in the middle of a frame, with code 0",
                             .action = CrashAction::exit,
                             .told = "in the middle of a match"});
}

}  // namespace arenad::chaos
