#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_huge_lengths() {
  return {.name = "control.huge_lengths",
          .does = "Frames on the control socket that say they are huge",
          .holds = "the connection is closed, everyone else is answered, and no arena notices",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) {
            const std::string frames[] = {word(0) + word(0x7FFFFFFF), word(0xFFFFFFFF) + word(0xFFFFFFFF),
                                          word(0) + word(1024 * 1024 / 8 + 1), word(100'000) + std::string(64, '\0'),
                                          word(3) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(1) + word(0)};
            return with_connection(stage, [&](test::RawControl& raw) { raw.send(frames[strike.draw % std::size(frames)]); });
          }};
}

}  // namespace arenad::chaos
