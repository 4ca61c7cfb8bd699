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
            if (restarted) return {};
            // Not while its code is being changed: that will be over.
            const bool may_later = restarted.error().code == ErrorCode::refused;
            return make_error(may_later ? ErrorCode::unreachable : restarted.error().code, restarted.error().message);
          }};
}

}  // namespace arenad::chaos
