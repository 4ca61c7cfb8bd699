#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault code_taken_back_and_arenad_killed() {
  return {
      .name = "code.taken_back_and_arenad_killed",
      .does = "The arena gets a version that dies in its first frame, and arenad is killed when it has decided to take it back",
      .holds = "the next arenad takes it back, and the player hears nothing twice and misses nothing",
      .worker = Ends::must,
      .arenad = Ends::must,
      .uses = "code",
      .alone = true,
      .missing = without_crash_points,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        trap_next(stage, "arenad.takeback.decided");
        return order_module(stage, strike, "ledger_dies_at_once");
      },
      .fired = next_trap_fired,
      .plays_on = 10,
      .settled = no_rollout,
      .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
