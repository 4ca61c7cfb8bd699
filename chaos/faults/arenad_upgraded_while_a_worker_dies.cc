#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/log_mark.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {
namespace {

constexpr const char* kUpgradedWhileDying = "arenad.upgraded_while_a_worker_dies";
// What arenad says when it gives over, and if nothing comes of it (supervisor/upgrade.cc).
constexpr const char* kGivesOver = "gives its place to";
constexpr const char* kGoesOn = "arenad is not upgraded";
constexpr const char* kInVain = "arenad.upgraded_while_a_worker_dies: in vain";

}  // namespace

Fault arenad_upgraded_while_a_worker_dies() {
  return {.name = kUpgradedWhileDying,
          .does = "SIGUSR2 to arenad, which gives over to its own program, and SIGKILL to the arena's worker at the same time",
          .holds = "the worker is replaced by one of the two",
          .worker = Ends::must,
          .told = "KILL",
          // It does not give over before all checkpoints are in the database.
          .uses = "disk",
          .replaces_arenad = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            mark_log(stage, kUpgradedWhileDying, strike, kGivesOver);
            mark_log(stage, kInVain, strike, kGoesOn);
            if (auto asked = tell_arenad_to_upgrade(stage, strike); !asked) return asked;
            (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .settled =
              [](Stage& stage, const Strike& strike) {
                return has_logged(stage, kUpgradedWhileDying, strike, kGivesOver) ||
                       has_logged(stage, kInVain, strike, kGoesOn);
              }};
}

}  // namespace arenad::chaos
