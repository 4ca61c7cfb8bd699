#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_after_the_record() {
  return worker_killed_at("worker.killed_after_the_record", "SIGKILL when a frame is written down and has not run",
                          {"frame.recorded"});
}

}  // namespace arenad::chaos
