#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_bus() {
  return worker_ended_by("worker.signal_bus", SIGBUS, "BUS");
}

}  // namespace arenad::chaos
