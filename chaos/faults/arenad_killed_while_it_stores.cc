#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault arenad_killed_while_it_stores() {
  return {.name = "arenad.killed_while_it_stores",
          .does = "SIGKILL to arenad while it takes a checkpoint or stores results",
          .holds = "nothing is lost and no result is stored twice",
          .arenad = Ends::must,
          .alone = true,
          .missing = without_crash_points,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{
                "arenad.checkpoint.read", "arenad.checkpoint.submitted", "arenad.store.begun",
                "arenad.store.written",   "arenad.store.committed",      "arenad.checkpoint.board",
                "arenad.results.read",    "arenad.results.stored",       "arenad.results.acknowledged"};
            trap_next(stage, drawn_from(points, strike));
            return {};
          },
          .fired = next_trap_fired};
}

}  // namespace arenad::chaos
