#include <csignal>

#include "chaos/faults/blocked_log.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_log_blocked_and_killed() {
  return {.name = "arenad.log_blocked_and_killed",
          .does = "Nothing that arenad or the next arenad logs can be written for a second, and arenad is killed",
          .holds = "the next arenad adopts all workers, and nobody waits for the log",
          .arenad = Ends::must,
          .uses = "log",
          .missing = cannot_block_log,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto blocked = block_log(stage, strike); !blocked) return blocked;
            return signal_arenad(stage, SIGKILL);
          },
          .fired = log_is_blocked,
          .heal = unblock_log,
          .heal_after_ms = 1000};
}

}  // namespace arenad::chaos
