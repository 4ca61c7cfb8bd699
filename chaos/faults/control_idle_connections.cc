#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_idle_connections() {
  return {
      .name = "control.idle_connections",
      .does = "Two hundred connections to the control socket that say nothing",
      .holds = "nobody waits for them",
      .uses = "control",
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage,
                   const Strike& strike) { return hold_connections(stage, "control.idle_connections", strike, 200, ""); },
      .heal = [](Stage& stage, const Strike& strike) { return drop_connections(stage, "control.idle_connections", strike); },
      .heal_after_ms = 300};
}

}  // namespace arenad::chaos
