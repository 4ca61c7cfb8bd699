#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault keeper_stopped_for_a_moment() {
  return {.name = "keeper.stopped_for_a_moment",
          .does = "SIGSTOP to the keeper, SIGCONT half a second later",
          .holds = "nobody notices",
          // Without the keeper there may be no arenad for whoever asks one.
          .alone = true,
          .inject = [](Stage& stage, const Strike&) { return signal_keeper(stage, SIGSTOP); },
          .heal = [](Stage& stage, const Strike&) { return signal_keeper(stage, SIGCONT); },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
