#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_hup() {
  return worker_ended_by("worker.signal_hup", SIGHUP, "HUP");
}

}  // namespace arenad::chaos
