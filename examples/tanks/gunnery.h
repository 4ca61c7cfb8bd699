// Guns load and fire; shells fly until they strike something or are spent.
#pragma once

#include "fact.h"
#include "rules.h"

namespace tanks::sim {

// A shell's penetration and damage are drawn at the impact, within this share of the gun's.
constexpr double kPenetrationSpread = 0.2;
constexpr double kDamageSpread = 0.25;
// A gun on a moving tank is this many times less precise.
constexpr int kMovingDispersionFactor = 2;
constexpr Tick kConspicuousTicks = 5 * kTicksPerSecond;
// One that is so hot is half as precise; heat counts in proportion.
constexpr double kHeatThatDoublesDispersion = 5 * kTicksPerSecond;

void fire_guns(Situation& situation, const Rules& rules, Facts& facts);
void fly_shells(Situation& situation, Facts& facts);

}  // namespace tanks::sim
