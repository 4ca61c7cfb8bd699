#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_quit() {
  return worker_ended_by("worker.signal_quit", SIGQUIT, "QUIT");
}

}  // namespace arenad::chaos
