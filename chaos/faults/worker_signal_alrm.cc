#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_alrm() {
  return worker_ended_by("worker.signal_alrm", SIGALRM, "ALRM");
}

}  // namespace arenad::chaos
