#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_nonsense() {
  return {.name = "control.nonsense",
          .does = "Twenty frames on the control socket whose content is random",
          .holds = "the connection is closed, everyone else is answered, and no arena notices",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            Random random(strike.draw, "nonsense");
            for (int i = 0; i < 20; ++i) {
              const auto words = static_cast<uint32_t>(1 + random.below(40));
              // Its root is no pointer to a struct: random bytes must not happen to be an order.
              const std::string content = word(3) + random_bytes(random, words * 8 - 4);
              auto sent = with_connection(stage, [&](test::RawControl& raw) { raw.send(word(0) + word(words) + content); });
              if (!sent) return sent;
            }
            return {};
          }};
}

}  // namespace arenad::chaos
