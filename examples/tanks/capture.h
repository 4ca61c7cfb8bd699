// Base capture. Each tank in the enemy's base earns a tick of capture each tick, three of them at
// most, while no owner of the base is in it. A tank that leaves the base, is damaged or destroyed
// loses what it earned.
#pragma once

#include "fact.h"

namespace tanks::sim {

constexpr uint32_t kCapturedTicks = 60 * kTicksPerSecond;  // one tank alone needs a minute
constexpr uint32_t kMaxCapturers = 3;

void capture_bases(Situation& situation, Facts& facts);

// How far the base of this team is captured; from kCapturedTicks on it is.
uint32_t captured_ticks(const Situation& situation, Team owner);

}  // namespace tanks::sim
