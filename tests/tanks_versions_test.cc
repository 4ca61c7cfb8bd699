// The tanks' second version beside the first: each takes the other's state over, and a state of its own goes on as it would have.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "arenad/game.h"
#include "bad/bad_state.capnp.h"
#include "examples/tanks/gunnery.h"
#include "examples/tanks/hot_guns.h"
#include "tests/tanks_fields.h"
#include "worker/state_compatibility.h"

namespace {

using namespace tanks;
using hot_guns::HotGuns;
using Words = std::vector<uint64_t>;

// A worker's part of the interface, as far as a battle without players needs it.
class Host {
 public:
  Host() {
    host_.abi_version = ARENAD_ABI_VERSION;
    host_.table_bytes = sizeof host_;
    host_.self = this;
    host_.output_reserve = [](void* self, size_t words) -> void* {
      Words& space = static_cast<Host*>(self)->space_;
      space.assign(words, 0);
      return space.data();
    };
    host_.output_commit = [](void*, uint64_t, uint64_t, size_t) {};
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  operator arenad::Context&() { return context_; }

 private:
  arenad_host host_{};
  arenad_frame frame_{};
  Words space_;
  arenad::Context context_{host_, frame_};
};

// As a worker lays it out: one segment.
template <class State, class Fill>
Words laid_out(Fill&& fill) {
  Words words(16 * 1024 / 8);
  arenad::InPlaceBuilder message(words.data(), words.size());
  fill(message.initRoot<State>());
  REQUIRE(message.fits());
  words.resize(message.used_words());
  return words;
}

template <class Game>
Words saved(const Game& game) {
  return laid_out<typename Game::State>([&](auto state) { game.on_checkpoint(state); });
}

template <class Game>
void restore(Game& game, Host& host, const Words& words) {
  arenad::MessageView view(words.data(), words.size(), arenad::unbounded_reader_options());
  game.on_restore(host, view.root<typename Game::State>());
}

std::vector<uint32_t> heat_in(const Words& words) {
  arenad::MessageView view(words.data(), words.size(), arenad::unbounded_reader_options());
  std::vector<uint32_t> heat;
  for (const uint16_t ticks : view.root<HotGuns::State>().getGunHeat()) heat.push_back(ticks);
  return heat;
}

// A state of version 1.0: two tanks that have fired, 40 ticks after the shot of the first one.
Words state_of_first_version() {
  sim::Situation situation = sim::duel(sim::Vehicle::Kind::light, sim::Vehicle::Kind::light, 300);
  situation.tick = 140;
  situation.tanks[0].conspicuous_until = 100 + sim::kConspicuousTicks;
  situation.tanks[1].conspicuous_until = 20 + sim::kConspicuousTicks;
  for (sim::Tank& tank : situation.tanks) tank.order.fire = true;
  return laid_out<TanksGame::State>([&](TanksGame::State::Builder state) {
    save(situation, state.initBattle());
    auto players = state.initPlayers(2);
    players[0].setName("ann");
    players[1].setName("bob");
  });
}

template <class State>
std::vector<unsigned char> schema_of() {
  arenad::detail::SchemaNodes nodes;
  arenad::detail::add_type<State>(nodes);
  const auto message = nodes.message();
  return {message.asBytes().begin(), message.asBytes().end()};
}

// Why a state that one has written cannot be read by the other; empty if it can.
template <class Written, class Read>
std::string misfit() {
  const auto written = schema_of<Written>();
  const auto read = schema_of<Read>();
  const auto fit = arenad::state_fits({written, capnp::typeId<Written>()}, {read, capnp::typeId<Read>()});
  return fit.ok() ? "" : fit.error().message;
}

TEST_CASE("the second version makes the guns' heat of what the first one's state knows") {
  Host host;
  const Words first = state_of_first_version();
  HotGuns second;
  second.on_migrate(host, arenad::Migration("1.0", 0, first.data(), first.size()));
  const Words words = saved(second);
  CHECK(heat_in(words) == std::vector<uint32_t>{hot_guns::kRules.heat_of_a_shot - 40, 0});

  SUBCASE("and the first one takes it back, bit for bit, without it") {
    TanksGame again;
    restore(again, host, words);
    CHECK(saved(again) == first);
  }
  SUBCASE("but takes a later version's as it is") {
    HotGuns next;
    next.on_migrate(host, arenad::Migration("2.1", 0, words.data(), words.size()));
    CHECK(saved(next) == words);
  }
  SUBCASE("and misses it in a state that should have it") {
    HotGuns next;
    CHECK_THROWS_AS(restore(next, host, first), std::invalid_argument);
  }
}

TEST_CASE("a state of the second version goes on as it would have, bit for bit") {
  Host host;
  const Words first = state_of_first_version();
  HotGuns battle;
  battle.on_migrate(host, arenad::Migration("1.0", 0, first.data(), first.size()));
  uint32_t hottest = 0;
  for (int tick = 0; tick < 300; ++tick) {
    const Words words = saved(battle);
    hottest = std::max(hottest, heat_in(words)[0]);
    HotGuns twin;
    restore(twin, host, words);
    REQUIRE(saved(twin) == words);
    battle.on_tick(host);
    twin.on_tick(host);
    REQUIRE(saved(twin) == saved(battle));
  }
  CHECK(hottest > hot_guns::kRules.heat_of_a_shot);
}

TEST_CASE("the rule makes a difference: the same battle goes otherwise in the second version") {
  Host host;
  const Words first = state_of_first_version();
  TanksGame cold;
  HotGuns hot;
  restore(cold, host, first);
  hot.on_migrate(host, arenad::Migration("1.0", 0, first.data(), first.size()));
  for (int tick = 0; tick < 300; ++tick) {
    cold.on_tick(host);
    hot.on_tick(host);
  }
  TanksGame as_first;
  restore(as_first, host, saved(hot));
  CHECK_FALSE(saved(as_first) == saved(cold));
}

TEST_CASE("the states of both versions fit, in both directions, and the bad version's names its field") {
  CHECK(misfit<TanksGame::State, HotGuns::State>() == "");
  CHECK(misfit<HotGuns::State, TanksGame::State>() == "");
  CHECK(misfit<TanksGame::State, bad_state::State>() == "");
  CHECK(misfit<HotGuns::State, bad_state::State>().find("State.gunHeat") != std::string::npos);
}

}  // namespace
