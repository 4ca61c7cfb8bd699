#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_upgraded() {
  return {.name = "arenad.upgraded",
          .does = "SIGUSR2 to arenad, which gives over to its own program",
          .holds = "no worker ends, and players notice nothing",
          .inject = [](Stage& stage, const Strike&) { return signal_arenad(stage, SIGUSR2); }};
}

}  // namespace arenad::chaos
