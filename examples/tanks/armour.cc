#include "armour.h"

#include <cmath>

namespace tanks::sim {

namespace {

constexpr double kCosineOf70Degrees = 0.34202014332566873;

// A point as the tank's commander sees it: x ahead, y to the left.
Vec seen_from(Vec point, Vec centre, Vec ahead) {
  const Vec offset = point - centre;
  return {dot(offset, ahead), cross(ahead, offset)};
}

double plate_mm(const Armour& armour, Facing facing) {
  switch (facing) {
    case Facing::front:
      return armour.front_mm;
    case Facing::side:
      return armour.side_mm;
    case Facing::rear:
      return armour.rear_mm;
  }
  __builtin_unreachable();
}

}  // namespace

std::optional<Strike> strike_hull(Vec from, Vec to, Vec centre, Angle hull) {
  const Vec ahead = direction(hull);
  const Vec start = seen_from(from, centre, ahead);
  const Vec end = seen_from(to, centre, ahead);
  const auto entry = enter_box(start, end, {}, kHullHalfMetres);
  if (!entry) return std::nullopt;
  const Vec way = end - start;
  const double way_length = length(way);
  if (entry->side == Entry::Side::y) {
    return Strike{entry->fraction, Facing::side, std::abs(way.y) / way_length};
  }
  return Strike{entry->fraction, way.x < 0 ? Facing::front : Facing::rear, std::abs(way.x) / way_length};
}

double effective_armour_mm(const Armour& armour, const Strike& strike) {
  return plate_mm(armour, strike.facing) / strike.cosine;
}

bool glances_off(const Strike& strike) {
  return strike.cosine < kCosineOf70Degrees;
}

Effect judge(const Armour& armour, const Strike& strike, double penetration_mm) {
  if (glances_off(strike)) return Effect::ricochet;
  return penetration_mm >= effective_armour_mm(armour, strike) ? Effect::penetration : Effect::no_penetration;
}

}  // namespace tanks::sim
