#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/spoiled_module.h"

namespace arenad::chaos {

Fault code_is_written_over() {
  return {.name = "code.is_written_over",
          .does =
              "The file that the configuration names as the module is written over in place, and its template, all workers "
              "that wait for "
              "an arena, and the arena's worker are killed",
          .holds = "the next ones have the code that arenad has kept",
          .worker = Ends::must,
          .told = "KILL",
          .uses = "code",
          .alone = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto spoiled = spoil_module(stage, strike); !spoiled) return spoiled;
            (void)signal_all(spares(stage), SIGKILL);
            (void)signal_all(templates(stage), SIGKILL);
            auto killed = signal_worker(stage, strike.arena, SIGKILL);
            if (!killed) (void)put_module_back(stage, strike);
            return killed;
          },
          .fired = has_another_worker,
          .heal = put_module_back,
          .heal_after_ms = 100,
          .plays_on = 5,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
