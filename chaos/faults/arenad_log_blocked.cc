#include <csignal>

#include "chaos/faults/blocked_log.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_log_blocked() {
  return {.name = "arenad.log_blocked",
          .does = "Nothing that arenad logs can be written for half a second, while the arena's worker is killed",
          .holds = "nobody waits for the log: the next worker comes, and arenad answers",
          .worker = Ends::must,
          .told = "KILL",
          .uses = "log",
          .missing = cannot_block_log,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto blocked = block_log(stage, strike); !blocked) return blocked;
            auto killed = signal_worker(stage, strike.arena, SIGKILL);
            if (!killed) (void)unblock_log(stage, strike);
            return killed;
          },
          .fired = log_is_blocked,
          .heal = unblock_log,
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
