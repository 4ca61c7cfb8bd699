#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_changes_while_it_recovers() {
  return {
      .name = "code.changes_while_it_recovers",
      .does = "The arena's worker is killed, and while the next one recovers the arena gets another version that is as good",
      .holds = "it has the one or the other, and the player hears nothing twice and misses nothing",
      .worker = Ends::must,
      .uses = "code",
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto module = other_good_module(stage, strike);
        if (!module) return module.error();
        // It may just be dying of something else.
        for (int i = 0; i < 200 && !signal_worker(stage, strike.arena, SIGKILL); ++i) stage.turn();
        return order_module(stage, strike, *module);
      },
      .plays_on = 10,
      .settled = no_rollout,
      .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
