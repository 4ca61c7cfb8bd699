#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_dies_in_its_place() {
  return {.name = "arenad.upgraded_to_one_that_dies_in_its_place",
          .does = "arenad is told to upgrade to a program that says that it can take over, and crashes when it has",
          .holds = "the keeper starts an arenad again, which adopts all workers",
          .arenad = Ends::must,
          // It does not give over before all checkpoints are in the database.
          .uses = "disk",
          .prepare = wait_for_arenad,
          .inject = asks_for_upgrade_to([](Stage&, const Strike&) { return bad_arenad("dies_in_its_place"); }, 10'000),
          .fired = upgrade_is_answered,
          .settled = nobody_runs_program};
}

}  // namespace arenad::chaos
