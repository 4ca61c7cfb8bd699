// A worker that lives, and that the next arenad never hears of: it plays on without descriptors, and clients hear it; or it hangs.
#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault worker_cannot_offer_itself() {
  return {.name = "worker.cannot_offer_itself",
          .does = "SIGKILL to arenad; the arena's worker loses all of its descriptors then, or hangs",
          .holds = "the next arenad ends it when its time is over, and the next worker goes on after its last frame",
          .worker = Ends::must,
          .arenad = Ends::must,
          .told = "it left no trace",
          .rungs = {"newest slot"},
          .needs_arenad = true,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const CrashAction action = strike.draw % 2 == 0 ? CrashAction::close_descriptors : CrashAction::hang;
            // Its link breaks once.
            const Strike first{.arena = strike.arena, .draw = 0, .worker = strike.worker};
            if (auto set = trap_worker(stage, first, "orphan.link_broke", action); !set) return set;
            return signal_arenad(stage, SIGKILL);
          }};
}

}  // namespace arenad::chaos
