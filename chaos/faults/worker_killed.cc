#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_killed() {
  return {.name = "worker.killed",
          .does = "SIGKILL to the arena's worker",
          .holds = "the next worker goes on from the newest snapshot and the log",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot"},
          .inject = [](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, SIGKILL); }};
}

}  // namespace arenad::chaos
