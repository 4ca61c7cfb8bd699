#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_throws() {
  return worker_ends_itself({.name = "worker.throws",
                             .does = "An exception that nobody catches leaves the game",
                             .action = CrashAction::throw_exception,
                             .told = "the rules do not allow that"});
}

}  // namespace arenad::chaos
