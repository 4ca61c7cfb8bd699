#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault code_dies_later_and_arenad_killed() {
  return {.name = "code.dies_later_and_arenad_killed",
          .does = "The arena gets a version that dies in its thirtieth frame, and arenad is killed while it is on probation",
          .holds = "the next arenad takes it back, and the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .arenad = Ends::must,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto ordered = order_module_on_long_probation(stage, strike, "ledger_dies_later");
            if (!ordered) return ordered;
            if (auto there = wait_for_probation(stage, strike); !there) return there;
            return signal_arenad(stage, SIGKILL);
          },
          .plays_on = 60,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
