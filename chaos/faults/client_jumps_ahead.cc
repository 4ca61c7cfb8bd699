#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_jumps_ahead() {
  return {.name = "client.jumps_ahead",
          .does = "A client's channel says that far more was published than it is long",
          .holds = "it is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            const uint64_t positions[] = {limits::kMinChannelBytes + 8, uint64_t{1} << 40, uint64_t{1} << 63, UINT64_MAX};
            client.publish(positions[draw % std::size(positions)]);
          }),
          .fired = hostile_client_is_expelled,
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
