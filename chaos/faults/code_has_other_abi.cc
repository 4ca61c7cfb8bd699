#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_has_other_abi() {
  return {.name = "code.has_other_abi",
          .does = "The arena gets a module of another ABI",
          .holds = "it is refused, and the arena's own code goes on",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return order_module(stage, strike, "other_abi"); },
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
