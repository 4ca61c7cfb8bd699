#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_sys() {
  return worker_ended_by("worker.signal_sys", SIGSYS, "SYS");
}

}  // namespace arenad::chaos
