#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_hangs_in_its_place() {
  return {
      .name = "arenad.upgraded_to_one_that_hangs_in_its_place",
      .does =
          "arenad is told to upgrade to a program that says that it can take over, and does nothing when it has; half a second "
          "later it is killed, as a watchdog does",
      .holds = "workers play on without an arenad, and the next one adopts them all",
      .arenad = Ends::must,
      .uses = "disk",
      // Whoever asked arenad meanwhile would wait.
      .alone = true,
      .prepare = wait_for_arenad,
      .inject = asks_for_upgrade_to([](Stage&, const Strike&) { return bad_arenad("hangs_in_its_place"); }, 10'000),
      .fired = program_has_taken_over,
      .heal = kill_who_was_asked,
      .heal_after_ms = 500,
      .settled = nobody_runs_program};
}

}  // namespace arenad::chaos
