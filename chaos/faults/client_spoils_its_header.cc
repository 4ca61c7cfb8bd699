#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"

namespace arenad::chaos {

Fault client_spoils_its_header() {
  return {.name = "client.spoils_its_header",
          .does = "A client writes garbage over the header of its channel",
          .holds = "it is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = attach_and([](HostileClient& client, uint64_t draw) {
            Random random(draw, "header");
            client.header().magic = random.next();
            client.header().layout_version = static_cast<uint32_t>(random.next());
            client.header().region_bytes = random.next();
            client.header().ring_offset = random.next();
            client.header().ring_capacity = random.next();
            client.header().outputs_read.store(random.next());
            client.publish(random.next());
          }),
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
