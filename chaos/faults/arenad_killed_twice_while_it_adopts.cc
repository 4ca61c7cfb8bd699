#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault arenad_killed_twice_while_it_adopts() {
  return {.name = "arenad.killed_twice_while_it_adopts",
          .does = "SIGKILL to arenad, and to the next two while they take up what was",
          .holds = "the fourth one adopts all workers",
          .arenad = Ends::must,
          .alone = true,
          .missing = without_crash_points,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"arenad.adoption.begun",      "arenad.adoption.known",
                                                              "arenad.adoption.offer",      "arenad.adoption.before_board",
                                                              "arenad.adoption.board_sent", "arenad.adoption.settled",
                                                              "arenad.socket.opened",       "arenad.ready.told"};
            trap_next(stage, drawn_from(points, strike));
            trap_after_next(stage, drawn_from(points, {.draw = strike.draw / points.size()}));
            return signal_arenad(stage, SIGKILL);
          },
          .fired = both_traps_fired};
}

}  // namespace arenad::chaos
