#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_killed_as_an_orphan() {
  return {.name = "worker.killed_as_an_orphan",
          .does = "SIGKILL to arenad, and to the arena's worker at a step of looking for the next one",
          .holds = "the next arenad takes up the arena where it was; every other worker is adopted",
          .worker = Ends::must,
          .arenad = Ends::must,
          .needs_arenad = true,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"orphan.link_broke", "orphan.offer.before", "orphan.offered",
                                                              "orphan.adopted"};
            const Strike first{.arena = strike.arena, .draw = strike.draw % points.size(), .worker = strike.worker};
            if (auto set = trap_worker(stage, first, drawn_from(points, strike), CrashAction::kill); !set) return set;
            return signal_arenad(stage, SIGKILL);
          }};
}

}  // namespace arenad::chaos
