#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault template_stopped() {
  return {.name = "template.stopped",
          .does =
              "SIGSTOP to the template that workers are forked from, and SIGKILL to the arena's worker; SIGCONT half a second "
              "later",
          .holds = "the next worker comes from a spare, or when the template is back",
          .worker = Ends::must,
          .told = "KILL",
          .prepare = wait_for_template,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto stopped = signal_all(templates(stage), SIGSTOP); !stopped) return stopped;
            (void)signal_worker(stage, strike.arena, SIGKILL);  // it may be ending already
            return {};
          },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            (void)signal_all(templates(stage), SIGCONT);
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
