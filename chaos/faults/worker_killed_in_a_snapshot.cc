#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_in_a_snapshot() {
  return worker_killed_at(
      "worker.killed_in_a_snapshot", "SIGKILL while a snapshot is written: begun, laid out, filled, or next to its publication",
      {"snapshot.begun", "snapshot.laid_out", "snapshot.state_written", "snapshot.publish.before", "snapshot.publish.after"});
}

}  // namespace arenad::chaos
