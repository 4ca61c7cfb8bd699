#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault template_and_spares_killed() {
  return {.name = "template.and_spares_killed",
          .does = "SIGKILL to the template, to all workers that wait for an arena, and to the arena's worker",
          .holds = "the next worker comes from another template",
          .worker = Ends::must,
          .told = "KILL",
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            (void)signal_all(spares(stage), SIGKILL);
            (void)signal_all(templates(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          }};
}

}  // namespace arenad::chaos
