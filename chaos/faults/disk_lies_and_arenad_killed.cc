#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_lies_and_arenad_killed() {
  return {.name = "disk.lies_and_arenad_killed",
          .does = "Every sync of arenad's database is not done and reported as done; then arenad is killed",
          .holds = "the system still has what was written: the next arenad misses nothing",
          .arenad = Ends::must,
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject = disk_falls_ill(
              {.calls = bit(test::Call::sync), .effect = test::Effect::denied, .lasting = test::Lasting::until_healed}),
          .fired = disk_was_asked,
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            (void)signal_arenad(stage, SIGKILL);  // a compound fault may have killed it
            return disk_becomes_well(stage, strike);
          },
          .heal_after_ms = 300,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
