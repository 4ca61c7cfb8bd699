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

bool is_in_order(const Exit& exit, Told told) {
  const std::string how = exit.text();
  if (how == "code=exited, status=0") return true;
  // A signal that comes before anybody listens for it ends who was just started.
  return told == Told::while_it_begins && (how == "signal=TERM" || how == "code=exited, status=143");
}

// Also if the run is called off: without an arenad it could not end in order.
Result<void> wait_for(Stage& stage, const char* what, const std::function<bool()>& is_there) {
  for (const uint64_t deadline_ns = monotonic_ns() + kFaultPatienceNs; !is_there(); stage.turn()) {
    if (monotonic_ns() > deadline_ns) return make_error(ErrorCode::timeout, std::string(what) + " did not come");
  }
  return {};
}

Result<void> come_back(Stage& stage) {
  const auto each = [&](auto holds) { return std::ranges::all_of(stage.arenas(), holds); };
  // None is let in twice.
  auto told = wait_for(stage, "that players are told that they have lost their places",
                       [&] { return each([](const Stage::Arena& arena) { return !arena.player->gone().empty(); }); });
  if (!told) return told;
  for (Stage::Arena& arena : stage.arenas()) {
    auto back = wait_for(stage, "a place for a player", [&] { return arena.player->come_back(arena.id).ok(); });
    if (!back) return back;
  }
  return {};
}

// One that is not back after the death of an arenad would never hear what a last worker has given.
Result<void> wait_for_players(Stage& stage, const Strike& strike) {
  if (auto answers = wait_for_arenad(stage, strike); !answers) return answers;
  return wait_until(stage, "that every player is in its arena", [&] {
    return std::ranges::all_of(stage.arenas(), [&](const Stage::Arena& arena) {
      const auto status = stage.rig().status(arena.id);
      return status && status->clients != 0;
    });
  });
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

Result<void> see_it_end(Stage& stage) {
  return wait_for(stage, "the end of arenad and its keeper", [&] { return stage.rig().keeper_end().has_value(); });
}

Result<void> see_it_begin(Stage& stage) {
  if (auto begun = stage.begin_again(); !begun) return begun;
  return wait_for(stage, "the next arenad", [&] { return stage.rig().arenad() != 0; });
}

Result<void> see_it_end_and_begin_again(Stage& stage, Told told) {
  if (auto ended = see_it_end(stage); !ended) return ended;
  const Exit exit = *stage.rig().keeper_end();
  if (auto begun = stage.begin_again(); !begun) return begun;
  if (auto answers = wait_for(stage, "an arenad that answers", [&] { return stage.rig().answers(); }); !answers) return answers;
  if (auto back = come_back(stage); !back) return back;
  return is_in_order(exit, told) ? Result<void>() : make_error(ErrorCode::failed, "the keeper has ended with " + exit.text());
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
          .prepare = wait_for_players,
          .inject = [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kOutcomeOfOrderlyEnd, strike.arena) = std::make_shared<Result<void>>(deed(stage, strike));
            return {};
          },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            return *std::static_pointer_cast<Result<void>>(stage.prop(kOutcomeOfOrderlyEnd, strike.arena));
          }};
}

}  // namespace arenad::chaos
