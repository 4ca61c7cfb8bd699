#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/poison.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {
namespace {

// Of the event, by each of the two arenads.
constexpr uint64_t kMostEndsByPoison = 4;

}  // namespace

Fault client_sends_poison_and_arenad_killed() {
  return {.name = "client.sends_poison_and_arenad_killed",
          .does =
              "A client sends an event that ends the worker whenever it is applied, and arenad is killed at a step of "
              "replacing the "
              "first or the second that it has ended",
          .holds = "the next arenad leaves the event out after two more at most, its sender is told, and all else is applied",
          .worker = Ends::must,
          .arenad = Ends::must,
          .uses = "hostile client",
          .alone = true,
          .missing = without_crash_points,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            static const std::vector<std::string_view> points{"arenad.death.before", "arenad.death.after", "arenad.spare.taken",
                                                              "arenad.assign.before", "arenad.assign.after"};
            trap_next(stage, drawn_from(points, strike), 1 + (strike.draw >> 32) % 2);
            return send_poison(stage, strike, drawn_poison(strike));
          },
          .fired = [](const Stage& stage,
                      const Strike& strike) { return poison_is_told(stage, strike) && next_trap_fired(stage, strike); },
          .plays_on = 5,
          .settled = poison_is_dropped,
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            // Fewer is nothing wrong: the next arenad may use the epoch of one again that has never run a frame of its own.
            const uint64_t ends = ends_by_poison(stage, strike);
            if (ends <= kMostEndsByPoison) return {};
            return make_error(ErrorCode::failed, std::to_string(ends) + " workers have ended by it");
          }};
}

}  // namespace arenad::chaos
