// Version 2.0 of the game: guns that are fired again and again grow hot, and hot guns spread their
// shells. All that differs from 1.0:
//
//   a rule     Rules::heat_of_a_shot is not 0
//   the state  has the guns' heat at its end. Version 1.0 leaves it out when it takes such a state
//              over; a state of 1.0 lacks it, and on_migrate() makes it of what that state knows:
//              which guns have fired of late
//
// Clients need not know: orders and outputs are what they were.
#pragma once

#include "hot_guns.capnp.h"
#include "tanks_game.h"

namespace tanks::hot_guns {

constexpr sim::Rules kRules{.heat_of_a_shot = 4 * sim::kTicksPerSecond};

// What a later version calls itself; everything else is as it was.
constexpr arenad::GameInfo version(const char* number) {
  arenad::GameInfo info = TanksGame::info;
  info.version = number;
  return info;
}

class HotGuns : public TanksGame {
 public:
  using State = hot_guns::State;
  static constexpr arenad::GameInfo info = version("2.0");

  HotGuns() : TanksGame(kRules) {}

  void on_checkpoint(State::Builder state) const;
  void on_restore(arenad::Context& ctx, State::Reader state);
  void on_migrate(arenad::Context& ctx, const arenad::Migration& from);
};

}  // namespace tanks::hot_guns
