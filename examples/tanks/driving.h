// How tanks move: hull and turret turn at their own rates, engines push, and nothing drives through
// rocks, buildings, other tanks or wrecks.
#pragma once

#include "situation.h"

namespace tanks::sim {

void drive_tanks(Situation& situation);

}  // namespace tanks::sim
