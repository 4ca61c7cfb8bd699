#include <memory>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kChangesTenTimes = "code.changes_ten_times";
constexpr uint64_t kChangesInARow = 10;

struct ChangesInARow {
  uint64_t ordered = 0;
  uint64_t epoch_before = 0;  // of the arena
};

Result<void> order_the_next(Stage& stage, const Strike& strike, ChangesInARow& changes) {
  auto module = other_good_module(stage, strike);
  if (!module) return module.error();
  auto ordered = order_module(stage, strike, *module);
  if (ordered) ++changes.ordered;
  return ordered;
}

}  // namespace

Fault code_changes_ten_times() {
  return {.name = kChangesTenTimes,
          .does = "The arena gets another version that is as good, ten times, each as soon as the one before has proved itself",
          .holds = "each takes over, the player hears nothing twice and misses nothing, and nothing of them is left",
          .worker = Ends::must,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto changes = std::make_shared<ChangesInARow>();
            changes->epoch_before = stage.epoch(strike.arena);
            auto ordered = order_the_next(stage, strike, *changes);
            stage.prop(kChangesTenTimes, strike.arena) = std::move(changes);
            return ordered;
          },
          .plays_on = 10,
          .settled =
              [](Stage& stage, const Strike& strike) {
                const auto changes = std::static_pointer_cast<ChangesInARow>(stage.prop(kChangesTenTimes, strike.arena));
                if (!no_rollout(stage, strike)) return false;
                if (changes->ordered == kChangesInARow) return true;
                (void)order_the_next(stage, strike, *changes);
                return false;
              },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            const auto changes = std::static_pointer_cast<ChangesInARow>(stage.prop(kChangesTenTimes, strike.arena));
            const uint64_t workers = stage.epoch(strike.arena) - changes->epoch_before;
            if (workers == kChangesInARow) return bad_module_is_not_there(stage, strike);
            return make_error(ErrorCode::failed, std::to_string(workers) + " workers have taken over, and not ten");
          }};
}

}  // namespace arenad::chaos
