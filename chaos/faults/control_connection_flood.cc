#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_connection_flood() {
  return {.name = "control.connection_flood",
          .does = "Three hundred connections to the control socket, one after the other, each with some garbage",
          .holds = "everyone else is answered, and no arena notices",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            Random random(strike.draw, "flood");
            for (int i = 0; i < 300; ++i) {
              auto sent =
                  with_connection(stage, [&](test::RawControl& raw) { raw.send(random_bytes(random, 1 + random.below(200))); });
              if (!sent) return sent;
              if (i % 20 == 0) stage.turn();
            }
            return {};
          }};
}

}  // namespace arenad::chaos
