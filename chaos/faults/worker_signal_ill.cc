#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_ill() {
  return worker_ended_by("worker.signal_ill", SIGILL, "ILL");
}

}  // namespace arenad::chaos
