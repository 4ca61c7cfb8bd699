#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_killed_while_it_recovers() {
  return {.name = "worker.killed_while_it_recovers",
          .does = "SIGKILL to the arena's worker, and to the next one at a step of its recovery",
          .holds = "the third one goes on where the first one was",
          .worker = Ends::must,
          .told = "KILL",
          .alone = true,
          .missing = without_crash_points,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{
                "worker.assigned",         "recovery.chosen",    "recovery.restored",  "recovery.replayed",
                "recovery.first_snapshot", "worker.live.before", "worker.live.staged", "worker.live.told"};
            trap_next(stage, drawn_from(points, strike));
            return signal_worker(stage, strike.arena, SIGKILL);
          },
          .fired = next_trap_fired};
}

}  // namespace arenad::chaos
