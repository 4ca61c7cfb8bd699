#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_before_the_record() {
  return worker_killed_at("worker.killed_before_the_record", "SIGKILL when a frame is decided and not written down",
                          {"frame.decided"});
}

}  // namespace arenad::chaos
