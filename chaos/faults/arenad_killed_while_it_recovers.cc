#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault arenad_killed_while_it_recovers() {
  return {.name = "arenad.killed_while_it_recovers",
          .does =
              "SIGKILL to the arena's worker, and to arenad at a step of replacing it; where that is a fork, also to all "
              "workers that wait for an arena",
          .holds = "the next arenad finishes it",
          .worker = Ends::must,
          .arenad = Ends::must,
          .alone = true,
          .missing = without_crash_points,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{
                "arenad.death.before", "arenad.death.after", "arenad.spare.taken",    "arenad.assign.before",
                "arenad.assign.after", "arenad.live.before", "arenad.live.after",     "arenad.keep.before",
                "arenad.keep.after",   "arenad.fork.before", "arenad.fork.requested", "arenad.spare.ready"};
            const std::string_view point = drawn_from(points, strike);
            trap_next(stage, point);
            // An arenad that has just adopted asks for one more than it keeps: there would be one without a fork.
            if (point.starts_with("arenad.fork.")) (void)signal_all(spares(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          },
          .fired = next_trap_fired};
}

}  // namespace arenad::chaos
