#include "chaos/faults/catalogue.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arena_restarted() {
  return {.name = "arena.restarted",
          .does = "An operator restarts the arena",
          .holds = "the next worker goes on at the end of a frame",
          .worker = Ends::must,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto restarted = stage.rig().restart_arena(stage.arenas()[strike.arena].id);
            if (!restarted) return restarted.error();
            return {};
          }};
}

}  // namespace arenad::chaos
