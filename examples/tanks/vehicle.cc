#include "vehicle.h"

namespace tanks::sim {

namespace {

constexpr int turn_per_tick(double degrees_per_second) {
  return static_cast<int>(degrees_per_second * kAnglesPerDegree * kTickSeconds);
}

constexpr int ticks(double seconds) {
  return static_cast<int>(seconds * kTicksPerSecond);
}

constexpr Vehicle kLight = {
    .hit_points = 1350,
    .forward_metres_per_second = 16,
    .reverse_metres_per_second = 6,
    .acceleration = 5,
    .hull_turn_per_tick = turn_per_tick(50),
    .turret_turn_per_tick = turn_per_tick(48),
    .view_metres = 240,
    .concealment = 0.6,
    .armour = {.front_mm = 50, .side_mm = 30, .rear_mm = 20},
    .gun = {.penetration_mm = 100,
            .damage = 35,
            .reload_ticks = ticks(1.8),
            .shell_metres_per_second = 320,
            .range_ticks = ticks(1.1),
            .dispersion = degrees(1.9)},
};

constexpr Vehicle kMedium = {
    .hit_points = 2050,
    .forward_metres_per_second = 13,
    .reverse_metres_per_second = 5,
    .acceleration = 3.5,
    .hull_turn_per_tick = turn_per_tick(42),
    .turret_turn_per_tick = turn_per_tick(40),
    .view_metres = 215,
    .concealment = 0.75,
    .armour = {.front_mm = 95, .side_mm = 60, .rear_mm = 40},
    .gun = {.penetration_mm = 130,
            .damage = 55,
            .reload_ticks = ticks(2.4),
            .shell_metres_per_second = 300,
            .range_ticks = ticks(1.2),
            .dispersion = degrees(1.7)},
};

constexpr Vehicle kHeavy = {
    .hit_points = 3000,
    .forward_metres_per_second = 9,
    .reverse_metres_per_second = 4,
    .acceleration = 2,
    .hull_turn_per_tick = turn_per_tick(30),
    .turret_turn_per_tick = turn_per_tick(26),
    .view_metres = 190,
    .concealment = 0.85,
    .armour = {.front_mm = 150, .side_mm = 85, .rear_mm = 60},
    .gun = {.penetration_mm = 160,
            .damage = 85,
            .reload_ticks = ticks(3.2),
            .shell_metres_per_second = 280,
            .range_ticks = ticks(1.3),
            .dispersion = degrees(1.5)},
};

// So there are never more shells in the air than tanks on the field.
constexpr bool loads_longer_than_its_shells_fly(const Vehicle& vehicle) {
  return vehicle.gun.reload_ticks >= vehicle.gun.range_ticks;
}
static_assert(loads_longer_than_its_shells_fly(kLight));
static_assert(loads_longer_than_its_shells_fly(kMedium));
static_assert(loads_longer_than_its_shells_fly(kHeavy));

}  // namespace

const Vehicle& vehicle(Vehicle::Kind kind) {
  switch (kind) {
    case Vehicle::Kind::light:
      return kLight;
    case Vehicle::Kind::medium:
      return kMedium;
    case Vehicle::Kind::heavy:
      return kHeavy;
  }
  __builtin_unreachable();
}

}  // namespace tanks::sim
