#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_signal_pipe() {
  return worker_ended_by("worker.signal_pipe", SIGPIPE, "PIPE");
}

}  // namespace arenad::chaos
