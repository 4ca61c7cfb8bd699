// What the rules of the game leave to its version; all others are the same in all versions.
#pragma once

#include <cstdint>

#include "vehicle.h"

namespace tanks::sim {

struct Rules {
  // Each shot heats the gun by so much, and each tick cools it by one; a hot gun is less precise
  // (gunnery.h). 0: guns stay cold.
  uint32_t heat_of_a_shot = 0;
};

constexpr uint32_t kHottest = 10 * kTicksPerSecond;

}  // namespace tanks::sim
