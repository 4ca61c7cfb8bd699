#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault control_descriptors() {
  return {.name = "control.descriptors",
          .does = "A hundred descriptors that nobody asked for come with requests",
          .holds = "they are closed, and so is the connection",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike&) {
            const std::vector<int> many(100, 0);
            return with_connection(stage, [&](test::RawControl& raw) {
              raw.send(version_request(), many);
              raw.send(version_request(), many);
            });
          }};
}

}  // namespace arenad::chaos
