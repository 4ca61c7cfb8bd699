#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault spares_stopped() {
  return {
      .name = "spares.stopped",
      .does = "SIGSTOP to all workers that wait for an arena, and SIGKILL to the arena's worker; SIGCONT half a second later",
      .holds = "the next worker comes when one of them is back, or another one instead",
      .worker = Ends::must,
      .prepare = wait_for_spares,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto stopped = signal_all(spares(stage), SIGSTOP); !stopped) return stopped;
        return signal_worker(stage, strike.arena, SIGKILL);
      },
      .heal = [](Stage& stage, const Strike&) -> Result<void> {
        // Some may have become arenas' workers meanwhile.
        (void)signal_all(spares(stage), SIGCONT);
        for (const Stage::Arena& arena : stage.arenas()) (void)signal_all({arena.worker}, SIGCONT);
        return {};
      },
      .heal_after_ms = 500};
}

}  // namespace arenad::chaos
