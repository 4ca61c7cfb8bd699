#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_lies_about_lengths() {
  return {.name = "client.lies_about_lengths",
          .does = "A client publishes a record whose length cannot be true",
          .holds = "it is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            const uint32_t lengths[] = {0, kRecordHeaderBytes, kHonestBytes - 3, kHonestBytes + 8, 1U << 30, 0xFFFFFFF8};
            client.write({lengths[draw % std::size(lengths)], 0, 1, honest_type(), 0}, kHonestWords);
            client.publish(kHonestBytes);
          }),
          .fired = hostile_client_is_expelled,
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
