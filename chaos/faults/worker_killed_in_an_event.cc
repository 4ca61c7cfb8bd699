#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_in_an_event() {
  return worker_killed_at("worker.killed_in_an_event", "SIGKILL before or after an event is applied",
                          {"frame.event.before", "frame.event.after"});
}

}  // namespace arenad::chaos
