#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_dies_later_and_worker_killed() {
  return {
      .name = "code.dies_later_and_worker_killed",
      .does = "The arena gets a version that dies in its thirtieth frame, and its worker is killed while it is on probation",
      .holds = "the version is taken back, and the player hears nothing twice and misses nothing",
      .worker = Ends::must,
      .uses = "code",
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto ordered = order_module_on_long_probation(stage, strike, "ledger_dies_later");
        if (!ordered) return ordered;
        if (auto there = wait_for_probation(stage, strike); !there) return there;
        // Which worker it is the player hears from the worker itself; that one may have died by itself before.
        for (int i = 0; i < 200 && !signal_worker(stage, strike.arena, SIGKILL); ++i) stage.turn();
        return {};
      },
      .plays_on = 60,
      .settled = no_rollout,
      .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
