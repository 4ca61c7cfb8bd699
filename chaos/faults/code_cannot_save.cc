#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_cannot_save() {
  return {.name = "code.cannot_save",
          .does = "The arena gets a version that throws when its state is to be written",
          .holds = "it is taken back, and the player hears nothing twice and misses nothing",
          .worker = Ends::may,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return order_module(stage, strike, "ledger_cannot_save"); },
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
