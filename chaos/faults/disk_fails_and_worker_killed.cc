#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_fails_and_worker_killed() {
  return {.name = "disk.fails_and_worker_killed",
          .does = "Every input and output of arenad's database fails, for a while, and meanwhile the arena's worker is killed",
          .holds = "the next worker needs no disk",
          .worker = Ends::must,
          .told = "KILL",
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject =
              [](Stage& stage, const Strike& strike) {
                stage.disk()->arm({.lasting = test::Lasting::until_healed});
                auto killed = signal_worker(stage, strike.arena, SIGKILL);
                if (!killed) stage.disk()->heal();
                return killed;
              },
          .fired = disk_was_asked,
          .heal = disk_becomes_well,
          .heal_after_ms = 500,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
