#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_in_a_tick() {
  return worker_killed_at("worker.killed_in_a_tick", "SIGKILL before or after a tick",
                          {"frame.tick.before", "frame.tick.after"});
}

}  // namespace arenad::chaos
