#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_crashes_while_loaded() {
  return {.name = "code.crashes_while_loaded",
          .does = "The arena gets a module that crashes while it is loaded",
          .holds = "it is refused, and the arena's own code goes on",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return order_module(stage, strike, "crashing_constructor"); },
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
