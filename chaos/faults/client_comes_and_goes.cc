#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault client_comes_and_goes() {
  return {.name = "client.comes_and_goes",
          .does = "An observer attaches to the arena and leaves, fifty times",
          .holds = "the arena plays on",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto client = Client::connect(stage.rig().socket());
            if (!client) return client.error();
            for (int i = 0; i < 50; ++i) {
              auto attached = (*client)->attach({.arena = stage.arenas()[strike.arena].name, .player = "", .observer = true});
              if (!attached) return attached.error();
              if (i % 10 == 0) stage.turn();
            }
            return {};
          }};
}

}  // namespace arenad::chaos
