#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_writes_garbage() {
  return {.name = "client.writes_garbage",
          .does = "A client publishes fifty events that are random bytes",
          .holds = "each of them is rejected, or the client is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            Random random(draw, "events");
            for (int i = 0; i < 50; ++i) {
              // Begins with a capability, which is never an event.
              const uint64_t words[] = {random.next() | 3, random.next(), random.next()};
              client.send(honest_type(), words);
            }
          }),
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
