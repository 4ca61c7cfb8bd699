#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_stopped() {
  return {.name = "worker.stopped",
          .does = "SIGSTOP to the arena's worker, for good",
          .holds = "arenad finds that it hangs, ends it and starts the next one",
          .worker = Ends::must,
          .told = "did not move",
          .rungs = {"newest slot"},
          .stops_workers = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, SIGSTOP); }};
}

}  // namespace arenad::chaos
