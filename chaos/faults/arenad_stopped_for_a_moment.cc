#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_stopped_for_a_moment() {
  return {.name = "arenad.stopped_for_a_moment",
          .does = "SIGSTOP to arenad, SIGCONT half a second later",
          .holds = "workers play on without it, and it takes none of them for one that hangs",
          // Whoever asked arenad meanwhile would wait, and nobody would undo it.
          .alone = true,
          .inject = [](Stage& stage, const Strike&) { return signal_arenad(stage, SIGSTOP); },
          .heal = [](Stage& stage, const Strike&) { return signal_arenad(stage, SIGCONT); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
