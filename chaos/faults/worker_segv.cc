#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_segv() {
  return {.name = "worker.segv",
          .does = "SIGSEGV to the arena's worker",
          .holds = "as if it had been killed, and arenad names the signal",
          .worker = Ends::must,
          .told = "SEGV",
          .rungs = {"newest slot"},
          .inject = [](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, SIGSEGV); }};
}

}  // namespace arenad::chaos
