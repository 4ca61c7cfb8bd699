#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/spoiled_module.h"

namespace arenad::chaos {

Fault code_is_written_over_and_arenad_killed() {
  return {
      .name = "code.is_written_over_and_arenad_killed",
      .does =
          "The file that the configuration names as the module is written over in place, and arenad and the arena's worker are "
          "killed; it is put back when the next arenad has had to do with it, which is told to read its configuration again",
      .holds = "arenas that run go on with the code that was kept of theirs",
      .worker = Ends::must,
      .arenad = Ends::must,
      .uses = "code",
      .alone = true,
      .prepare = wait_for_worker,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto spoiled = spoil_module(stage, strike); !spoiled) return spoiled;
        auto killed = signal_arenad(stage, SIGKILL);
        if (!killed) (void)put_module_back(stage, strike);
        // It may just be dying of something else.
        if (killed) (void)signal_worker(stage, strike.arena, SIGKILL);
        return killed;
      },
      .fired = has_another_worker,
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto back = put_module_back(stage, strike); !back) return back;
        return signal_arenad(stage, SIGHUP);
      },
      .heal_after_ms = 100,
      .plays_on = 5,
      .settled = [](Stage& stage, const Strike& strike) { return no_rollout(stage, strike) && !spares(stage).empty(); },
      .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
