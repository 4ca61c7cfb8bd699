#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_garbage() {
  return {.name = "control.garbage",
          .does = "Bytes on the control socket that can never become a request",
          .holds = "the connection is closed, everyone else is answered, and no arena notices",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) {
            Random random(strike.draw, "garbage");
            return with_connection(stage,
                                   [&](test::RawControl& raw) { raw.send(random_bytes(random, 1 + random.below(8000))); });
          }};
}

}  // namespace arenad::chaos
