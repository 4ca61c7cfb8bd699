#include <csignal>

#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/guest_process.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault client_vanishes() {
  return {.name = "client.vanishes",
          .does = "A client process of the arena is killed",
          .holds = "its place is given up, and the arena plays on",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto guest = guest_process(stage, strike.arena);
            if (!guest) return guest.error();
            guest->signal(SIGKILL);
            return {};
          }};
}

}  // namespace arenad::chaos
