#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_while_publishing() {
  return worker_killed_at("worker.killed_while_publishing",
                          "SIGKILL between the outputs of a frame, its results and the mark that it is done",
                          {"frame.outputs_published", "frame.results_published", "frame.done", "frame.end"});
}

}  // namespace arenad::chaos
