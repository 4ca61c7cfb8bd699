#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_refuses() {
  return {.name = "code.refuses",
          .does = "The arena gets a version that refuses its state",
          .holds = "it is taken back, and the player hears nothing twice and misses nothing",
          .worker = Ends::may,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return order_module(stage, strike, "ledger_refuses"); },
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
