#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault cage_spoils_memory() {
  return {
      .name = "cage.spoils_memory",
      .does =
          "The worker punches holes into all memory that it shares, writes to it through its descriptors, and seals it anew",
      .holds = "all of that is refused: the same worker goes on, and nobody reads anything else",
      .missing = without_crash_points,
      .prepare = wait_for_trap,
      .inject = [](Stage& stage,
                   const Strike& strike) { return trap_worker(stage, strike, "frame.done", CrashAction::spoil_memory); },
      .fired = worker_trap_fired,
      // What was spoilt is found when it is read again.
      .plays_on = 5};
}

}  // namespace arenad::chaos
