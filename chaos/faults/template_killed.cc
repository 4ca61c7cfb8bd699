#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault template_killed() {
  return {.name = "template.killed",
          .does = "SIGKILL to the template that workers are forked from, and to the arena's worker",
          .holds = "the next worker comes from a spare or from another template",
          .worker = Ends::must,
          .told = "KILL",
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            // None is as good as a killed one: arenad loads it when somebody needs it.
            (void)signal_all(templates(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          }};
}

}  // namespace arenad::chaos
