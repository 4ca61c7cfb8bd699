// The kinds of tank and what each can do. Public knowledge: clients aim and judge by the same
// table.
#pragma once

#include <cstdint>

#include "geometry.h"

namespace tanks::sim {

constexpr int kTicksPerSecond = 20;
constexpr double kTickSeconds = 1.0 / kTicksPerSecond;

// All hulls have one size: a box for shells, a circle for driving.
constexpr Vec kHullHalfMetres = {3.5, 1.7};
constexpr double kTankRadiusMetres = 3.2;

struct Armour {
  double front_mm;
  double side_mm;
  double rear_mm;
};

struct Gun {
  double penetration_mm;
  int damage;
  int reload_ticks;
  double shell_metres_per_second;
  int range_ticks;   // how long a shell flies
  Angle dispersion;  // the widest error of a shot from a standing tank
};

struct Vehicle {
  enum class Kind : uint8_t { light, medium, heavy };

  int hit_points;
  double forward_metres_per_second;
  double reverse_metres_per_second;
  double acceleration;  // metres per second, per second; brakes are twice as strong
  int hull_turn_per_tick;
  int turret_turn_per_tick;
  double view_metres;
  double concealment;  // how much of another's view remains while this one stands still and silent
  Armour armour;
  Gun gun;
};

const Vehicle& vehicle(Vehicle::Kind kind);

}  // namespace tanks::sim
