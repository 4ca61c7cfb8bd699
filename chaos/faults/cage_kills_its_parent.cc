#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_kills_its_parent() {
  return worker_breaks_cage({.name = "cage.kills_its_parent",
                             .does = "The worker sends SIGKILL to its parent, which is arenad or the keeper",
                             .action = CrashAction::kill_parent,
                             .told = "kill"});
}

}  // namespace arenad::chaos
