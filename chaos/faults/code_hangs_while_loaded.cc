#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_hangs_while_loaded() {
  return {.name = "code.hangs_while_loaded",
          .does = "The arena gets a module that never ends being loaded",
          .holds = "the arena plays on meanwhile, and the module is refused",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage,
                       const Strike& strike) { return order_in_the_background(stage, strike, "hanging_constructor"); },
          .plays_on = 10,
          .settled = order_is_answered,
          .check = order_was_refused};
}

}  // namespace arenad::chaos
