#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/new_code.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_changes_in_a_snapshot() {
  return {.name = "code.changes_in_a_snapshot",
          .does =
              "The arena gets another version that is as good, and is asked to hand over while its worker stands in the middle "
              "of a "
              "snapshot; there the worker goes on, or is killed",
          .holds = "it has the one or the other, and the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .uses = "code",
          .alone = true,
          .stops_workers = true,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"snapshot.begun", "snapshot.laid_out", "snapshot.state_written",
                                                              "snapshot.publish.before", "snapshot.publish.after"};
            auto module = other_good_module(stage, strike);
            if (!module) return module.error();
            if (auto set = trap_worker(stage, strike, drawn_from(points, strike), CrashAction::stop); !set) return set;
            auto stands = wait_until(stage, "a snapshot", [&] {
              // Without ticks a frame comes of what is said.
              let_say_more(stage.arenas()[strike.arena]);
              return worker_trap_fired(stage, strike);
            });
            if (!stands) return stands;
            const uint64_t asked_before = hits_of(stage, "arenad.handover.asked");
            if (auto ordered = order_in_the_background(stage, strike, *module); !ordered) return ordered;
            // Should that take too long, arenad ends the worker, because it does not move.
            auto asked = wait_until(stage, "the change of code in a snapshot", [&] {
              return order_is_answered(stage, strike) || hits_of(stage, "arenad.handover.asked") != asked_before ||
                     stage.arenas()[strike.arena].worker != strike.worker;
            });
            const bool is_killed = (strike.draw >> 16) % 2 != 0;
            if (is_killed) stage.note_kill(strike.worker);
            ::kill(strike.worker, is_killed ? SIGKILL : SIGCONT);
            return asked;
          },
          .plays_on = 10,
          .settled = order_is_answered,
          .check = bad_module_is_not_there};
}

}  // namespace arenad::chaos
