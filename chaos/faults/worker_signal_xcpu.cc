#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_xcpu() {
  return worker_ended_by("worker.signal_xcpu", SIGXCPU, "XCPU");
}

}  // namespace arenad::chaos
