#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_changes_and_arenad_killed() {
  return {.name = "code.changes_and_arenad_killed",
          .does = "The arena gets another version that is as good, and arenad is killed at once",
          .holds = "it has the one or the other, and the player hears nothing twice and misses nothing",
          .worker = Ends::may,
          .arenad = Ends::must,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto module = other_good_module(stage, strike);
            if (!module) return module.error();
            if (auto ordered = order_module(stage, strike, *module); !ordered) return ordered;
            return signal_arenad(stage, SIGKILL);
          },
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
