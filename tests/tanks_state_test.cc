// A battle of tanks can be saved and run again: its state goes through Cap'n Proto bit for bit, and
// the same orders give the same battle.
#include <cmath>
#include <stdexcept>
#include <utility>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <doctest/doctest.h>

#include "examples/tanks/battle.h"
#include "examples/tanks/battle_state.h"
#include "examples/tanks/wire.h"
#include "tests/tanks_fields.h"

namespace {

using namespace tanks::sim;
using Kind = Vehicle::Kind;

// Drives everyone about and fires, differently in each tick, so that every field of a state comes
// to matter.
void stir(Battle& battle, Random& orders) {
  for (Seat seat = 0; seat < battle.situation().seat_count(); ++seat) {
    battle.give(seat, {.throttle_percent = static_cast<int8_t>(orders.between(-40, 100)),
                       .turn_percent = static_cast<int8_t>(orders.between(-100, 100)),
                       .turret = static_cast<Angle>(orders.next()),
                       .fire = orders.between(0, 1) == 1});
  }
  battle.tick();
}

// Everyone close together, so that much happens.
Battle melee(uint64_t seed) {
  Situation situation = Battle(Setup{.seed = seed}).situation();
  for (Seat seat = 0; seat < situation.seat_count(); ++seat) {
    const int row = seat / 5;
    const int file = seat % 5;
    situation.tanks[seat].position = kBases[seat % 4 == 0 ? 1 : 0] + Vec{18.0 * row - 50, 18.0 * file - 36};
  }
  return Battle(std::move(situation));
}

kj::Array<capnp::word> saved(const Situation& situation) {
  capnp::MallocMessageBuilder message;
  tanks::save(situation, message.initRoot<tanks::BattleState>());
  return capnp::messageToFlatArray(message);
}

Situation loaded(kj::ArrayPtr<const capnp::word> words) {
  capnp::FlatArrayMessageReader message(words);
  return tanks::load(message.getRoot<tanks::BattleState>());
}

TEST_CASE("a battle that is saved and loaded in any tick goes on the same, bit for bit") {
  Battle battle = melee(11);
  Random orders{1};
  for (int tick = 0; tick < 400; ++tick) {
    stir(battle, orders);
    const auto words = saved(battle.situation());
    const Situation again = loaded(words);
    REQUIRE(again == battle.situation());
    REQUIRE(saved(again).asBytes() == words.asBytes());
    if (tick % 50 != 0) continue;
    Battle twin(again);
    Battle original = battle;
    Random same_orders = orders;
    Random twin_orders = orders;
    for (int i = 0; i < 50; ++i) {
      stir(original, same_orders);
      stir(twin, twin_orders);
      REQUIRE(twin.situation() == original.situation());
    }
  }
  const Situation& end = battle.situation();
  CHECK_FALSE(end.shells.empty());
  uint32_t damage = 0;
  for (const Tank& each : end.tanks) damage += each.tally.damage_dealt;
  CHECK(damage > 1000);
}

TEST_CASE("the same orders give the same battle") {
  const auto play = [](uint64_t seed) {
    Battle battle = melee(seed);
    Random orders{2};
    for (int tick = 0; tick < 600; ++tick) stir(battle, orders);
    return battle.situation();
  };
  CHECK(play(3) == play(3));
  CHECK_FALSE(play(3) == play(4));
}

TEST_CASE("an impossible state is refused") {
  const Situation sound = duel(Kind::heavy, Kind::heavy, 300);
  CHECK_NOTHROW(Battle{sound});
  const auto refused = [&](auto spoil) {
    Situation situation = sound;
    spoil(situation);
    CHECK_THROWS_AS(Battle(std::move(situation)), std::invalid_argument);
  };
  refused([](Situation& s) { s.tanks.pop_back(); });
  refused([](Situation& s) { s.tanks.resize(kMaxTanks + 1, s.tanks[0]); });
  refused([](Situation& s) { s.tanks[0].position.x = -1; });
  refused([](Situation& s) { s.tanks[0].position.y = std::nan(""); });
  refused([](Situation& s) { s.tanks[0].speed_metres_per_second = std::nan(""); });
  refused([](Situation& s) { s.tanks[0].hit_points = 1 << 20; });
  refused([](Situation& s) { s.tanks[0].gun_heat = kHottest + 1; });
  refused([](Situation& s) { s.shells.push_back({.shooter = 2}); });

  capnp::MallocMessageBuilder message;
  auto state = message.initRoot<tanks::BattleState>();
  tanks::save(sound, state);
  state.getTanks()[0].setKind(static_cast<tanks::Kind>(9));
  CHECK_THROWS_AS(tanks::load(state.asReader()), std::invalid_argument);
}

TEST_CASE("what goes over the wire is right to a unit") {
  Situation situation = duel(Kind::heavy, Kind::light, 123.456);
  situation.tanks[0].speed_metres_per_second = -3.9;
  situation.tanks[0].reload_ticks = 17;
  situation.tanks[1].visible_until = 1;
  capnp::MallocMessageBuilder message;
  auto view = message.initRoot<tanks::TeamView>();
  tanks::fill(view, situation, 0);
  REQUIRE(view.getTanks().size() == 2);
  const auto mine = view.asReader().getTanks()[0];
  const auto his = view.asReader().getTanks()[1];
  CHECK(mine.getReloadTicks() == 17);
  CHECK(mine.getSpeed() == -15);
  CHECK(his.getReloadTicks() == 0);
  CHECK(his.getHull() == kWest);
  CHECK(std::abs(tanks::to_metres(his.getX()) - 523.456) <= 0.5 / tanks::kWireUnitsPerMetre);
  SUBCASE("and without an enemy that is not seen") {
    situation.tanks[1].visible_until = 0;
    tanks::fill(view, situation, 0);
    CHECK(view.getTanks().size() == 1);
  }
}

}  // namespace
