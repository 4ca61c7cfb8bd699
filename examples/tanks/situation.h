// Everything that matters in a battle at the end of a tick, as plain data. The rules (driving.h,
// gunnery.h, spotting.h, capture.h) are functions over it; battle_state.h saves it bit for bit, but
// for what only later versions have and save themselves. What is not in here does not survive a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "geometry.h"
#include "map.h"
#include "random.h"
#include "vehicle.h"

namespace tanks::sim {

constexpr size_t kMaxTanks = 30;

// The tank of seat s is Situation::tanks[s]. Even seats are team 0, odd seats team 1.
using Seat = uint8_t;
constexpr Seat kNobody = 255;

using Team = uint8_t;
constexpr Team kNoTeam = 255;
constexpr Team team_of(Seat seat) {
  return seat % 2;
}
constexpr Team enemy_of(Team team) {
  return static_cast<Team>(1 - team);
}

// Ticks since the start of the battle; the first one is 1.
using Tick = uint32_t;

// What a player wants of his tank, until he wants something else.
struct Order {
  int8_t throttle_percent = 0;  // -100 full astern to 100 full ahead
  int8_t turn_percent = 0;      // of the hull: -100 clockwise to 100 anticlockwise
  Angle turret = 0;             // where the gun shall point, on the map
  bool fire = false;            // whenever the gun is loaded

  bool operator==(const Order&) const = default;
};

// What counts for the result.
struct Tally {
  uint32_t shots = 0;
  uint32_t hits = 0;  // on enemies, whatever came of it
  uint32_t penetrations = 0;
  uint32_t damage_dealt = 0;
  uint32_t damage_received = 0;
  uint32_t kills = 0;
  uint32_t spotted = 0;   // enemies that this tank was the first of its team to see
  Tick destroyed_at = 0;  // 0: survived

  bool operator==(const Tally&) const = default;
};

struct Tank {
  Vehicle::Kind kind = Vehicle::Kind::medium;
  Vec position;
  Angle hull = 0;
  Angle turret = 0;
  double speed_metres_per_second = 0;  // along the hull; negative astern
  int32_t hit_points = 0;              // 0: a wreck
  int32_t reload_ticks = 0;            // until the gun is loaded
  Tick conspicuous_until = 0;          // it fired: its concealment is gone
  Tick visible_until = 0;              // to the other team
  bool discovered = false;             // the other team has seen it at least once
  uint32_t capture_ticks = 0;          // earned in the enemy's base, lost by leaving or damage
  uint32_t gun_heat = 0;               // ticks until the gun is cold; 0 in versions whose guns stay cold (rules.h)
  Order order;
  Tally tally;

  bool operator==(const Tank&) const = default;
  [[nodiscard]] bool alive() const { return hit_points > 0; }
};

struct Shell {
  uint32_t id = 0;
  Seat shooter = kNobody;
  Vehicle::Kind gun_of = Vehicle::Kind::medium;
  Vec position;
  Angle heading = 0;
  int32_t ticks_left = 0;
  bool seen_by_enemy = false;  // the other team saw who fired it

  bool operator==(const Shell&) const = default;
};

struct Situation {
  Tick tick = 0;
  Tick end_tick = 0;  // the battle is over at the latest
  Random random;
  Map map;
  std::vector<Tank> tanks;
  std::vector<Shell> shells;  // in the order in which they were fired
  uint32_t next_shell_id = 1;

  bool operator==(const Situation&) const = default;
  [[nodiscard]] Seat seat_count() const { return static_cast<Seat>(tanks.size()); }
};

// Whether the other team knows where this tank is now.
inline bool visible_to_enemy(const Situation& situation, Seat seat) {
  const Tank& tank = situation.tanks[seat];
  return tank.alive() && situation.tick < tank.visible_until;
}

}  // namespace tanks::sim
