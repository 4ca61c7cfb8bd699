#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/wrong_clock.h"

namespace arenad::chaos {

Fault clock_jumps_and_worker_killed() {
  return {.name = "clock.jumps_and_worker_killed",
          .does = "The wall clock jumps, and the arena's worker is killed; later it jumps back",
          .holds = "the next worker runs the frames again with the times that they had, and goes on from there",
          .worker = Ends::must,
          .told = "KILL",
          .uses = "clock",
          .missing = cannot_order_clock,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto jumped = clock_jumps(stage, strike); !jumped) return jumped;
            return signal_worker(stage, strike.arena, SIGKILL);
          },
          .fired = clock_was_asked,
          .heal = clock_is_right,
          .heal_after_ms = 500,
          .plays_on = 5};
}

}  // namespace arenad::chaos
