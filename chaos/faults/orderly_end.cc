#include "chaos/faults/orderly_end.h"

#include <algorithm>
#include <csignal>
#include <memory>

#include "chaos/faults/control_socket.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kOutcomeOfOrderlyEnd = "outcome of an orderly end";

// A signal that comes before anybody listens for it ends who was just started.
bool is_in_order(const Exit& exit) {
  const std::string how = exit.text();
  return how == "code=exited, status=0" || how == "signal=TERM" || how == "code=exited, status=143";
}

Result<void> come_back(Stage& stage) {
  const auto each = [&](auto holds) { return std::ranges::all_of(stage.arenas(), holds); };
  // None is let in twice.
  auto told = wait_until(stage, "that players are told that they have lost their places",
                         [&] { return each([](const Stage::Arena& arena) { return !arena.player->gone().empty(); }); });
  if (!told) return told;
  for (Stage::Arena& arena : stage.arenas()) {
    auto back = wait_until(stage, "a place for a player", [&] { return arena.player->come_back(arena.id).ok(); });
    if (!back) return back;
  }
  return {};
}

}  // namespace

std::string without_players_that_come_back(const Stage& stage) {
  return stage.arenas()[0].player->ledger() == nullptr ? "it is for the ledger, and this is another game" : "";
}

Result<void> tell_to_end(Stage& stage, const Strike& strike) {
  switch (strike.draw % 4) {
    case 0:
      return signal_arenad(stage, SIGTERM);
    case 1:
      return signal_arenad(stage, SIGINT);
    case 2:
      return signal_keeper(stage, SIGTERM);
    default:
      return stage.rig().shut_down();
  }
}

Result<void> see_it_end_and_begin_again(Stage& stage) {
  auto ended = wait_until(stage, "the end of arenad and its keeper", [&] { return stage.rig().keeper_end().has_value(); });
  if (!ended) return ended;
  const Exit exit = *stage.rig().keeper_end();
  if (auto begun = stage.begin_again(); !begun) return begun;
  if (auto answers = wait_until(stage, "an arenad that answers", [&] { return stage.rig().answers(); }); !answers)
    return answers;
  if (auto back = come_back(stage); !back) return back;
  return is_in_order(exit) ? Result<void>() : make_error(ErrorCode::failed, "the keeper has ended with " + exit.text());
}

Fault arenad_ends_in_order(const char* name, const char* does, const char* holds,
                           std::function<Result<void>(Stage&, const Strike&)> deed) {
  return {.name = name,
          .does = does,
          .holds = holds,
          .worker = Ends::must,
          .other_workers = Ends::must,
          .arenad = Ends::must,
          // What was handed in before is still on its way to the disk.
          .uses = "disk",
          // Nobody answers meanwhile, and nobody starts arenad again.
          .alone = true,
          .missing = without_players_that_come_back,
          .prepare = wait_for_arenad,
          .inject = [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kOutcomeOfOrderlyEnd, strike.arena) = std::make_shared<Result<void>>(deed(stage, strike));
            return {};
          },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            return *std::static_pointer_cast<Result<void>>(stage.prop(kOutcomeOfOrderlyEnd, strike.arena));
          }};
}

}  // namespace arenad::chaos
