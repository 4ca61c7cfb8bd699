#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/control.capnp.h"

namespace arenad::chaos {

Fault control_descriptors_missing() {
  return {.name = "control.descriptors_missing",
          .does = "A request that says that descriptors come with it, and none do",
          .holds = "it is answered with an error",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) {
            capnp::MallocMessageBuilder message;
            auto request = message.initRoot<wire::Request>();
            request.setFds(static_cast<uint16_t>(1 + strike.draw % 65'535));
            auto attach = request.initAttach();
            attach.setArena(stage.arenas()[strike.arena].name);
            attach.setPlayer("mallory");
            return with_connection(stage, [&](test::RawControl& raw) { raw.send(message); });
          }};
}

}  // namespace arenad::chaos
