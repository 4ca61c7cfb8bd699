#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_closes_all_descriptors() {
  return worker_ends_itself({.name = "worker.closes_all_descriptors",
                             .does = "The worker closes every descriptor it has",
                             .action = CrashAction::close_descriptors,
                             .told = ""});
}

}  // namespace arenad::chaos
