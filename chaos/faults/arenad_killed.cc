#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_killed() {
  return {.name = "arenad.killed",
          .does = "SIGKILL to arenad",
          .holds = "no worker ends; the keeper starts the next arenad, which adopts them all",
          .arenad = Ends::must,
          .inject = [](Stage& stage, const Strike&) { return signal_arenad(stage, SIGKILL); }};
}

}  // namespace arenad::chaos
