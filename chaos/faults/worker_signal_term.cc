#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_term() {
  return worker_ended_by("worker.signal_term", SIGTERM, "TERM");
}

}  // namespace arenad::chaos
