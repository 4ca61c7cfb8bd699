#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_fpe() {
  return worker_ended_by("worker.signal_fpe", SIGFPE, "FPE");
}

}  // namespace arenad::chaos
