// Who sees whom. A team sees an enemy while one of its tanks spots it, and a while longer.
//
// A tank spots an enemy within its view range if nothing hides it. The range is shorter for a
// target that neither moves nor has just fired. Very near, an enemy is noticed through anything.
//
// Each tank is looked for every kSpottingTicks only, and not all in the same tick: lines of sight
// are the dearest part of a battle.
#pragma once

#include "fact.h"

namespace tanks::sim {

constexpr Tick kSpottingTicks = 10;
constexpr Tick kVisibleTicks = 3 * kTicksPerSecond;
constexpr double kNoticedMetres = 40;
static_assert(kVisibleTicks > kSpottingTicks, "a tank in full view would flicker");

void spot_tanks(Situation& situation, Facts& facts);

// Whether this one tank spots that enemy now. Both must be alive.
bool spots(const Situation& situation, const Tank& spotter, const Tank& target);

}  // namespace tanks::sim
