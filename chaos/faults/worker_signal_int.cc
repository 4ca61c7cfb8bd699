#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_int() {
  return worker_ended_by("worker.signal_int", SIGINT, "INT");
}

}  // namespace arenad::chaos
