#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arena_restarted_while_its_worker_dies() {
  return {.name = "arena.restarted_while_its_worker_dies",
          .does = "An operator restarts the arena while SIGKILL is on its way to its worker",
          .holds = "the next worker goes on from the newest snapshot and the log",
          .worker = Ends::must,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto killed = signal_worker(stage, strike.arena, SIGKILL); !killed) return killed;
            (void)stage.rig().restart_arena(stage.arenas()[strike.arena].id);
            return {};
          }};
}

}  // namespace arenad::chaos
