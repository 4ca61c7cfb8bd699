#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_aborted() {
  return {.name = "worker.aborted",
          .does = "SIGABRT to the arena's worker",
          .holds = "as if it had been killed, and arenad names the signal",
          .worker = Ends::must,
          .told = "ABRT",
          .rungs = {"newest slot"},
          .inject = [](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, SIGABRT); }};
}

}  // namespace arenad::chaos
