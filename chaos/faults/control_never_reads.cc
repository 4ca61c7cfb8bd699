#include <sys/socket.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/socket.h"

namespace arenad::chaos {

Fault control_never_reads() {
  return {.name = "control.never_reads",
          .does = "A client of the control socket asks for the status again and again, and never reads an answer",
          .holds = "arenad keeps no more of the answers than it may, and everyone else is answered",
          .uses = "control",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto socket = connect_unix(stage.rig().socket());
            if (!socket) return socket.error();
            std::string bytes;
            for (int i = 0; i < 100; ++i) bytes += version_request();
            // Until it takes no more for a while.
            for (int i = 0; i < 200; ++i) {
              if (::send(socket->get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) stage.turn();
            }
            stage.prop("control.never_reads", strike.arena) = std::make_shared<Fd>(std::move(*socket));
            return {};
          },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop("control.never_reads", strike.arena).reset();
            return {};
          },
          .heal_after_ms = 300};
}

}  // namespace arenad::chaos
