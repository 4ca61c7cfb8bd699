#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault code_taken_back_and_worker_killed() {
  return {.name = "code.taken_back_and_worker_killed",
          .does =
              "The arena gets a version that dies in its first frame, and the worker that takes it back is killed at a step of "
              "that",
          .holds = "another one takes it back, and the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .uses = "code",
          .alone = true,
          .missing = without_crash_points,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"takeback.chosen", "takeback.restored", "takeback.replayed",
                                                              "takeback.snapshot"};
            trap_next(stage, drawn_from(points, strike));
            return order_module(stage, strike, "ledger_dies_at_once");
          },
          .fired = next_trap_fired,
          .plays_on = 10,
          .settled = no_rollout,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
