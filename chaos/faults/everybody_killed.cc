#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault everybody_killed() {
  return {.name = "everybody.killed",
          .does = "SIGKILL to arenad and to all workers at once",
          .holds = "the next arenad takes up every arena where it was",
          .worker = Ends::must,
          .other_workers = Ends::must,
          .arenad = Ends::must,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            if (auto killed = signal_arenad(stage, SIGKILL); !killed) return killed;
            for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGKILL);
            return {};
          }};
}

}  // namespace arenad::chaos
