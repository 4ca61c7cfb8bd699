#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_hangs() {
  return {.name = "code.hangs",
          .does = "The arena gets a version that hangs in its thirtieth frame",
          .holds = "it is taken back, and the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage,
                       const Strike& strike) { return order_module_on_long_probation(stage, strike, "ledger_hangs"); },
          .plays_on = 60,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
