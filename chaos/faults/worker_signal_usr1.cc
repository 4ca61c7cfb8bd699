#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_usr1() {
  return worker_ended_by("worker.signal_usr1", SIGUSR1, "USR1");
}

}  // namespace arenad::chaos
