#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_trap() {
  return worker_ended_by("worker.signal_trap", SIGTRAP, "TRAP");
}

}  // namespace arenad::chaos
