// Battlefields laid out by hand, for tests of the tanks' rules.
#pragma once

#include <utility>
#include <vector>

#include "examples/tanks/situation.h"

namespace tanks::sim {

constexpr Angle kEast = 0;
constexpr Angle kNorth = degrees(90);
constexpr Angle kWest = degrees(180);

inline Tank tank(Vehicle::Kind kind, Vec position, Angle heading) {
  Tank tank;
  tank.kind = kind;
  tank.position = position;
  tank.hull = heading;
  tank.turret = heading;
  tank.order.turret = heading;
  tank.hit_points = vehicle(kind).hit_points;
  return tank;
}

inline Situation field(std::vector<Tank> tanks, std::vector<Obstacle> obstacles = {}) {
  Situation situation;
  situation.end_tick = 300 * kTicksPerSecond;
  situation.random.state = 7;
  situation.tanks = std::move(tanks);
  situation.map = Map(std::move(obstacles));
  return situation;
}

// Seat 0 in the middle of the map, looking east; seat 1 so far east of it, looking west.
inline Situation duel(Vehicle::Kind kind_0, Vehicle::Kind kind_1, double metres, std::vector<Obstacle> obstacles = {}) {
  return field({tank(kind_0, {400, 400}, kEast), tank(kind_1, {400 + metres, 400}, kWest)}, std::move(obstacles));
}

inline Obstacle circle(Obstacle::Kind kind, Vec centre, double radius) {
  return {.kind = kind, .centre = centre, .half = {radius, radius}};
}

}  // namespace tanks::sim
