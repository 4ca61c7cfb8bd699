// The compass of the bots. It asks libm, whose last bits may differ from machine to machine, so the
// simulation does not use it: what a bot makes of it reaches a battle as an order.
#pragma once

#include <cmath>

#include "geometry.h"

namespace tanks {

// The angle at which `to` lies, seen from `from`.
inline sim::Angle bearing(sim::Vec from, sim::Vec to) {
  constexpr double kAnglesPerRadian = 32768 / 3.14159265358979323846;
  const double radians = std::atan2(to.y - from.y, to.x - from.x);
  return static_cast<sim::Angle>(static_cast<int>(std::lround(radians * kAnglesPerRadian)));
}

}  // namespace tanks
