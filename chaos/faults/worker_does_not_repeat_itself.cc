// A game that asks for the clock or for chance itself gives something else when its frames are run again. Arenad cannot make that
// good, and says so.
#include <algorithm>
#include <csignal>
#include <fmt/format.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/guest_arena.h"
#include "chaos/faults/patience.h"
#include "chaos/files.h"

namespace arenad::chaos {
namespace {

constexpr const char* kDoesNotRepeatItself = "worker.does_not_repeat_itself";
// Until frames are to be run again: a worker may die right after a snapshot.
constexpr int kMostDeaths = 40;

// Empty: what arenad says of the new worker can be true.
std::string wrong_with(const sweep::ArenaStatus& status) {
  // All that it has run again is another one; of the frame in which the worker before it died nothing may have been heard.
  if (status.divergences > status.replayed_frames || status.divergences + 1 < status.replayed_frames)
    return fmt::format("{} of {} frames that were run again are told to be others", status.divergences, status.replayed_frames);
  const bool has_first = status.first_divergent_frame != 0 && status.first_divergent_frame <= status.frame;
  if (status.divergences != 0 && !has_first)
    return fmt::format("the first frame that is another one is told to be {}, at frame {}", status.first_divergent_frame,
                       status.frame);
  return "";
}

Result<std::string> kill_until_it_shows(Stage& stage, GuestArena& guest) {
  for (int death = 0; death < kMostDeaths; ++death) {
    auto before = guest.wait_for("a worker of the fault's own arena",
                                 [](const sweep::ArenaStatus& status) { return status.state == "running" && status.pid > 0; });
    if (!before) return before.error();
    ::kill(before->pid, SIGKILL);
    auto after = guest.wait_for("its next worker", [&](const sweep::ArenaStatus& status) {
      return status.state == "running" && status.epoch > before->epoch;
    });
    if (!after) return after.error();
    if (std::string wrong = wrong_with(*after); !wrong.empty()) return wrong;
    if (after->divergences == 0) continue;
    const std::string said = "the game is not deterministic";
    auto logged = wait_until(stage, "a line of the log that says so", [&] {
      const auto lines = lines_with(stage.rig().log(), said);
      return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(guest.name()) != std::string::npos; });
    });
    return logged ? "" : logged.error().message;
  }
  return fmt::format("after {} deaths arenad has told of no frame that was another one when it was run again", kMostDeaths);
}

}  // namespace

Fault worker_does_not_repeat_itself() {
  return {
      .name = kDoesNotRepeatItself,
      .does = "The game of another arena uses the clock, or chance, and its worker is killed",
      .holds = "arenad tells that its frames were others when they were run again, and which was the first; no match notices",
      .alone = true,
      .missing = without_ledger,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto guest = GuestArena::start(stage, {{"hz", "100"}, {"whims", strike.draw % 2 == 0 ? "1" : "2"}});
        if (!guest) return guest.error();
        auto wrong = kill_until_it_shows(stage, **guest);
        if (!wrong) return wrong.error();
        keep_finding(stage, kDoesNotRepeatItself, strike, *wrong);
        return (*guest)->stop();
      },
      .check = kept_finding(kDoesNotRepeatItself)};
}

}  // namespace arenad::chaos
