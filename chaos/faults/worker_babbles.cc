#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_babbles() {
  return worker_ends_itself({.name = "worker.babbles",
                             .does = "The worker sends arenad a message that is none",
                             .action = CrashAction::babble,
                             .told = "",
                             .needs_arenad = true});
}

}  // namespace arenad::chaos
