#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/wrong_clock.h"

namespace arenad::chaos {

Fault clock_jumps_and_arenad_killed() {
  return {.name = "clock.jumps_and_arenad_killed",
          .does = "The wall clock jumps, and arenad is killed; later it jumps back",
          .holds = "the next arenad adopts all workers, whatever time it is by then",
          .arenad = Ends::must,
          .uses = "clock",
          .missing = cannot_order_clock,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto jumped = clock_jumps(stage, strike); !jumped) return jumped;
            return signal_arenad(stage, SIGKILL);
          },
          .fired = clock_was_asked,
          .heal = clock_is_right,
          .heal_after_ms = 500,
          .plays_on = 5};
}

}  // namespace arenad::chaos
