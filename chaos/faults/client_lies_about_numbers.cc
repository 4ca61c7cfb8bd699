#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_lies_about_numbers() {
  return {.name = "client.lies_about_numbers",
          .does = "A client publishes a record with another number than the next",
          .holds = "it is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            client.write({kHonestBytes, 0, 2 + (draw >> 1), honest_type(), 0}, kHonestWords);
            client.publish(kHonestBytes);
          }),
          .fired = hostile_client_is_expelled,
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
