#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_shuts_its_sockets() {
  return worker_ends_itself({.name = "worker.shuts_its_sockets",
                             .does = "The worker shuts its link to arenad down, and keeps the descriptor",
                             .action = CrashAction::shut_sockets,
                             .told = "",
                             .needs_arenad = true});
}

}  // namespace arenad::chaos
