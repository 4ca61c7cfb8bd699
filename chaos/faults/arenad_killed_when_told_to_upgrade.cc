#include <csignal>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_killed_when_told_to_upgrade() {
  return {.name = "arenad.killed_when_told_to_upgrade",
          .does = "SIGUSR2 to arenad, which gives over to its own program, and SIGKILL to it within 20 ms",
          .holds = "one arenad goes on with all workers",
          .arenad = Ends::must,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto asked = tell_arenad_to_upgrade(stage, strike); !asked) return asked;
            ::usleep(static_cast<useconds_t>(strike.draw % 20'000));
            return signal_arenad(stage, SIGKILL);
          }};
}

}  // namespace arenad::chaos
