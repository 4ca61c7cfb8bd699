// What becomes of a shell that strikes a hull. The more slanting the blow, the more steel is in its
// way: thickness / cos(angle to the plate's normal). Beyond 70 degrees it glances off.
#pragma once

#include <optional>

#include "fact.h"

namespace tanks::sim {

struct Strike {
  double fraction;  // of the shell's way in this tick
  Facing facing;
  double cosine;  // of the angle between the shell's way and the plate's normal: 1 is head-on
};

std::optional<Strike> strike_hull(Vec from, Vec to, Vec centre, Angle hull);

double effective_armour_mm(const Armour& armour, const Strike& strike);
bool glances_off(const Strike& strike);
Effect judge(const Armour& armour, const Strike& strike, double penetration_mm);

}  // namespace tanks::sim
