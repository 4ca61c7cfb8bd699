#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_sends_strangers() {
  return {.name = "client.sends_strangers",
          .does = "A client publishes fifty events of a type that the game does not know",
          .holds = "each of them is rejected, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            for (int i = 0; i < 50; ++i) client.send(draw, kHonestWords);
          }),
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
