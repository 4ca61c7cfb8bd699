#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_half_a_request() {
  return {.name = "control.half_a_request",
          .does = "Half a request on ten connections to the control socket, and then silence",
          .holds = "nobody waits for them",
          .uses = "control",
          .prepare = wait_for_arenad,
          .inject =
              [](Stage& stage, const Strike& strike) {
                const std::string whole = version_request();
                const std::string half = whole.substr(0, 1 + strike.draw % (whole.size() - 1));
                return hold_connections(stage, "control.half_a_request", strike, 10, half);
              },
          .heal = [](Stage& stage, const Strike& strike) { return drop_connections(stage, "control.half_a_request", strike); },
          .heal_after_ms = 300};
}

}  // namespace arenad::chaos
