#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/control.capnp.h"

namespace arenad::chaos {

Fault control_thousands_of_names() {
  return {.name = "control.thousands_of_names",
          .does = "A request with 40,000 names in it",
          .holds = "it is refused before anything is done with them",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike&) {
            capnp::MallocMessageBuilder message;
            auto names = message.initRoot<wire::Request>().initStop().initArenas(40'000);
            for (unsigned i = 0; i < names.size(); ++i) names.set(i, "*a*");
            return with_connection(stage, [&](test::RawControl& raw) {
              raw.send(message);
              raw.gets_an_answer(10'000);
            });
          }};
}

}  // namespace arenad::chaos
