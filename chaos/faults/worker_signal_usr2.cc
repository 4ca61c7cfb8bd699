#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_usr2() {
  return worker_ended_by("worker.signal_usr2", SIGUSR2, "USR2");
}

}  // namespace arenad::chaos
