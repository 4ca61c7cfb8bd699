#include <csignal>

#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/guest_process.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault client_is_stopped() {
  return {.name = "client.is_stopped",
          .does = "A client process of the arena is stopped, and killed a while later",
          .holds = "the arena does not wait for it",
          .uses = "guest",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto guest = guest_process(stage, strike.arena);
            if (!guest) return guest.error();
            guest->signal(SIGSTOP);
            stage.prop("client.is_stopped", strike.arena) = std::make_shared<ChildProcess>(std::move(*guest));
            return {};
          },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop("client.is_stopped", strike.arena).reset();
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
