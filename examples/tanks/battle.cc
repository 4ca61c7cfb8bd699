#include "battle.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "capture.h"
#include "driving.h"
#include "gunnery.h"
#include "spotting.h"

namespace tanks::sim {

namespace {

// Both teams have the same tanks; five make a row.
constexpr std::array kLineUp = {Vehicle::Kind::heavy, Vehicle::Kind::medium, Vehicle::Kind::light, Vehicle::Kind::medium,
                                Vehicle::Kind::heavy};
constexpr double kRowMetres = 18;
constexpr double kFileMetres = 22;

Vec west_start(size_t place) {
  const size_t row = place / kLineUp.size();
  const size_t file = place % kLineUp.size();
  return kBases[0] + Vec{kRowMetres * (1 - static_cast<double>(row)), kFileMetres * (static_cast<double>(file) - 2)};
}

Tank start(Seat seat) {
  const size_t place = seat / 2;
  Tank tank;
  tank.kind = kLineUp[place % kLineUp.size()];
  tank.position = west_start(place);
  if (team_of(seat) == 1) {
    tank.position = Vec{kMapSizeMetres, kMapSizeMetres} - tank.position;
    tank.hull = degrees(180);
  }
  tank.turret = tank.hull;
  tank.order.turret = tank.hull;
  tank.hit_points = vehicle(tank.kind).hit_points;
  return tank;
}

bool is_possible(const Tank& tank) {
  return Map::contains(tank.position) && std::isfinite(tank.speed_metres_per_second) && tank.hit_points >= 0 &&
         tank.hit_points <= vehicle(tank.kind).hit_points && tank.reload_ticks >= 0 && tank.gun_heat <= kHottest;
}

void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument(what);
}

int8_t percent(int8_t value) {
  return std::clamp<int8_t>(value, -100, 100);
}

struct Strength {
  uint32_t alive = 0;
  uint32_t damage_dealt = 0;

  bool operator==(const Strength&) const = default;
  bool operator>(const Strength& other) const {
    return alive != other.alive ? alive > other.alive : damage_dealt > other.damage_dealt;
  }
};

Strength strength(const Situation& situation, Team team) {
  Strength sum;
  for (Seat seat = team; seat < situation.seat_count(); seat += 2) {
    const Tank& tank = situation.tanks[seat];
    sum.alive += tank.alive() ? 1 : 0;
    sum.damage_dealt += tank.tally.damage_dealt;
  }
  return sum;
}

template <class T>
Team better(const T& team_0, const T& team_1) {
  if (team_0 == team_1) return kNoTeam;
  return team_0 > team_1 ? 0 : 1;
}

}  // namespace

Battle::Battle(const Setup& setup, const Rules& rules) : rules_(rules) {
  require(setup.players >= 2 && setup.players <= kMaxTanks, "a battle needs 2 to 30 players");
  situation_.end_tick = setup.seconds * kTicksPerSecond;
  situation_.random.state = setup.seed;
  situation_.map = Map::generate(setup.seed);
  for (Seat seat = 0; seat < setup.players; ++seat) situation_.tanks.push_back(start(seat));
}

Battle::Battle(Situation situation, const Rules& rules) : situation_(std::move(situation)), rules_(rules) {
  const size_t tanks = situation_.tanks.size();
  require(tanks >= 2 && tanks <= kMaxTanks, "a battle needs 2 to 30 tanks");
  require(std::all_of(situation_.tanks.begin(), situation_.tanks.end(), is_possible),
          "a tank is off the map or has impossible values");
  require(std::all_of(situation_.shells.begin(), situation_.shells.end(),
                      [&](const Shell& shell) { return shell.shooter < tanks; }),
          "a shell was fired by nobody");
}

void Battle::give(Seat seat, const Order& order) {
  Tank& tank = situation_.tanks.at(seat);
  tank.order = order;
  tank.order.throttle_percent = percent(order.throttle_percent);
  tank.order.turn_percent = percent(order.turn_percent);
}

void Battle::halt(Seat seat) {
  Tank& tank = situation_.tanks.at(seat);
  tank.order = Order{.turret = tank.turret};
}

void Battle::end_by(Tick tick) {
  situation_.end_tick = std::min(situation_.end_tick, tick);
}

std::span<const Fact> Battle::tick() {
  facts_.clear();
  ++situation_.tick;
  drive_tanks(situation_);
  fire_guns(situation_, rules_, facts_);
  fly_shells(situation_, facts_);
  spot_tanks(situation_, facts_);
  capture_bases(situation_, facts_);
  return facts_;
}

std::optional<Outcome> Battle::outcome() const {
  const Strength team_0 = strength(situation_, 0);
  const Strength team_1 = strength(situation_, 1);
  if (team_0.alive == 0 || team_1.alive == 0) {
    return Outcome{better(team_0.alive, team_1.alive), Outcome::Reason::destroyed};
  }
  const bool captured_by_0 = captured_ticks(situation_, 1) >= kCapturedTicks;
  const bool captured_by_1 = captured_ticks(situation_, 0) >= kCapturedTicks;
  if (captured_by_0 || captured_by_1) {
    return Outcome{better(captured_by_0, captured_by_1), Outcome::Reason::captured};
  }
  if (situation_.tick >= situation_.end_tick) {
    return Outcome{better(team_0, team_1), Outcome::Reason::time_over};
  }
  return std::nullopt;
}

}  // namespace tanks::sim
