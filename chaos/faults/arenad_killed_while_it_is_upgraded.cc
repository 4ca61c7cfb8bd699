#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault arenad_killed_while_it_is_upgraded() {
  return {.name = "arenad.killed_while_it_is_upgraded",
          .does = "arenad is told to give over to its own program, and killed at a step of that",
          .holds = "one arenad goes on with all workers",
          .arenad = Ends::must,
          .alone = true,
          .missing = without_crash_points,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"arenad.upgrade.asked", "arenad.upgrade.before",
                                                              "arenad.upgrade.arena", "arenad.upgrade.begun"};
            trap_next(stage, drawn_from(points, strike));
            return tell_arenad_to_upgrade(stage, strike);
          },
          .fired = next_trap_fired};
}

}  // namespace arenad::chaos
