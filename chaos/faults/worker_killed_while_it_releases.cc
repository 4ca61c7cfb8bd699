#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_while_it_releases() {
  return worker_killed_at("worker.killed_while_it_releases",
                          "SIGKILL before or after the worker gives up what a checkpoint covers",
                          {"release.before", "release.after"});
}

}  // namespace arenad::chaos
