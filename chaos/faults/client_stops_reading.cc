#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault client_stops_reading() {
  return {.name = "client.stops_reading",
          .does = "An observer attaches to the arena and never reads an output",
          .holds = "the arena does not wait for it, and its player misses nothing",
          .uses = "observer",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            struct Observer {
              std::unique_ptr<Client> client;
              std::unique_ptr<Attachment> attachment;
            };
            auto observer = std::make_shared<Observer>();
            auto client = Client::connect(stage.rig().socket());
            if (!client) return client.error();
            observer->client = std::move(*client);
            auto attached =
                observer->client->attach({.arena = stage.arenas()[strike.arena].name, .player = "", .observer = true});
            if (!attached) return attached.error();
            observer->attachment = std::move(*attached);
            stage.prop("client.stops_reading", strike.arena) = std::move(observer);
            return {};
          },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop("client.stops_reading", strike.arena).reset();
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
