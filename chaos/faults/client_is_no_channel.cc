#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/control_client.h"

namespace arenad::chaos {

Fault client_is_no_channel() {
  return {.name = "client.is_no_channel",
          .does = "A client attaches with a descriptor that is no channel",
          .holds = "it is refused, or gone at once, and the arena plays on",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            Fd fd;
            if (strike.draw % 3 == 0) {
              fd = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
            } else {
              fd = Fd(::memfd_create("no-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING));
              const off_t bytes = strike.draw % 3 == 1 ? 1 : 65536;
              if (!fd || ::ftruncate(fd.get(), bytes) != 0) return errno_error("cannot make a file in memory");
              if (strike.draw % 2 == 0) ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
            }
            auto control = ControlClient::connect(stage.rig().socket());
            if (!control) return control.error();
            const int number = fd.get();
            // Whatever the answer is.
            (void)control->call(
                [&](wire::Request::Builder request) {
                  auto to = request.initAttach();
                  to.setArena(stage.arenas()[strike.arena].name);
                  to.setPlayer("mallory");
                },
                {&number, 1}, 10'000);
            return {};
          }};
}

}  // namespace arenad::chaos
