#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_opens_socket() {
  return worker_breaks_cage({.name = "cage.opens_socket",
                             .does = "The worker opens a socket to the network",
                             .action = CrashAction::open_socket,
                             .told = "socket"});
}

}  // namespace arenad::chaos
