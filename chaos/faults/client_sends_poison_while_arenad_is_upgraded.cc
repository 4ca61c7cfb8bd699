#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/poison.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kPoisonInUpgrade = "client.sends_poison_while_arenad_is_upgraded";
// Long enough for a worker to apply the event and die of it meanwhile.
constexpr uint64_t kArenadSleepsMs = 150;

// That arenad has put an event of the arena in quarantine (supervisor/arena_quarantine.cc).
size_t times_kept(const Stage& stage, const Strike& strike) {
  const auto lines = lines_with(stage.rig().log(), "it is left out and kept in quarantine");
  const std::string arena = "arena=" + stage.arenas()[strike.arena].name + " ";
  return static_cast<size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.find(arena) != std::string::npos; }));
}

}  // namespace

Fault client_sends_poison_while_arenad_is_upgraded() {
  return {.name = kPoisonInUpgrade,
          .does =
              "arenad is told to give over to its own program, and while it is slow at a step of that, a client sends an event "
              "that ends the "
              "worker whenever it is applied",
          .holds =
              "two workers end by it and no more, whichever program hears of them; then it is left out and once in quarantine, "
              "its sender "
              "is told, and all else is applied",
          .worker = Ends::must,
          .uses = "hostile client",
          .alone = true,
          .missing = without_crash_points,
          .prepare = seat_poisoner,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            // Before it holds, with everything written down, and in the new program: begun, with some arenas and with all.
            static const std::vector<std::string_view> points{"arenad.upgrade.asked", "arenad.upgrade.before",
                                                              "arenad.upgrade.begun", "arenad.upgrade.arena",
                                                              "arenad.upgrade.answered"};
            const pid_t arenad = stage.rig().arenad();
            stage.prop(kPoisonInUpgrade, strike.arena) = std::make_shared<size_t>(times_kept(stage, strike));
            if (auto slowed = slow_down(stage, arenad, drawn_from(points, strike), kArenadSleepsMs); !slowed) return slowed;
            if (auto told = tell_arenad_to_upgrade(stage, strike); !told) {
              stage.rig().points().disarm_in(arenad);
              return told;
            }
            auto is_slow = wait_until(stage, "a step of the upgrade", [&] { return stage.rig().points().fired_in(arenad); });
            if (!is_slow) {
              stage.rig().points().disarm_in(arenad);
              return is_slow;
            }
            return send_poison_from_its_seat(stage, strike, drawn_poison(strike));
          },
          .fired = poison_is_told,
          .plays_on = 5,
          .settled = poison_is_dropped,
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto ended = two_ended_by(stage, strike, told_of_poison(drawn_poison(strike))); !ended) return ended;
            const size_t before = *std::static_pointer_cast<size_t>(stage.prop(kPoisonInUpgrade, strike.arena));
            const size_t times = times_kept(stage, strike) - before;
            if (times == 1) return {};
            return make_error(ErrorCode::failed, fmt::format("arenad has put it in quarantine {} times", times));
          }};
}

}  // namespace arenad::chaos
