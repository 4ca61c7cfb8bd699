#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_byte_by_byte() {
  return {.name = "control.byte_by_byte",
          .does = "A request on the control socket, one byte at a time",
          .holds = "it is answered, and others are served between any two bytes",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            bool is_answered = false;
            auto done = with_connection(stage, [&](test::RawControl& raw) {
              for (const char byte : version_request()) {
                if (!raw.send({&byte, 1})) return;
                stage.turn();
              }
              is_answered = raw.gets_an_answer(10'000);
            });
            if (done && !is_answered) return make_error(ErrorCode::unreachable, "arenad went away meanwhile");
            return done;
          }};
}

}  // namespace arenad::chaos
