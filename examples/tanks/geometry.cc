#include "geometry.h"

#include <algorithm>
#include <limits>

namespace tanks::sim {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr int kQuadrant = 16384;
constexpr int kHalfQuadrant = kQuadrant / 2;

// The Taylor series of sine and cosine up to 45 degrees; the next term is below 1e-11.
Vec near_zero(double radians) {
  const double q = radians * radians;
  const double sine = radians * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))));
  const double cosine = 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90 * (1 - q / 132)))));
  return {cosine, sine};
}

struct Span {
  double enter;
  double leave;
};

// Where start + t * step is from -half to half.
std::optional<Span> slab(double start, double step, double half) {
  if (step == 0) {
    if (std::abs(start) > half) return std::nullopt;
    constexpr double kAlways = std::numeric_limits<double>::infinity();
    return Span{-kAlways, kAlways};
  }
  const double a = (-half - start) / step;
  const double b = (half - start) / step;
  return Span{std::min(a, b), std::max(a, b)};
}

}  // namespace

Vec direction(Angle angle) {
  // Each quadrant is taken from its middle, where the series is at its best.
  const int within_quadrant = angle % kQuadrant;
  const Vec v = near_zero((within_quadrant - kHalfQuadrant) * (kPi / 2 / kQuadrant));
  const double cosine = (v.x - v.y) * kSqrtHalf;
  const double sine = (v.x + v.y) * kSqrtHalf;
  switch (angle / kQuadrant) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

std::optional<Entry> enter_circle(Vec from, Vec to, Vec centre, double radius) {
  const Vec way = to - from;
  const Vec offset = from - centre;
  const double outside = length_squared(offset) - radius * radius;
  if (outside <= 0) return Entry{0, Entry::Side::x};
  const double approach = -dot(offset, way);
  if (approach <= 0) return std::nullopt;
  const double way_squared = length_squared(way);
  const double discriminant = approach * approach - way_squared * outside;
  if (discriminant < 0) return std::nullopt;
  const double fraction = (approach - std::sqrt(discriminant)) / way_squared;
  if (fraction > 1) return std::nullopt;
  return Entry{fraction, Entry::Side::x};
}

std::optional<Entry> enter_box(Vec from, Vec to, Vec centre, Vec half) {
  const Vec way = to - from;
  const auto x = slab(from.x - centre.x, way.x, half.x);
  const auto y = slab(from.y - centre.y, way.y, half.y);
  if (!x || !y) return std::nullopt;
  const double enter = std::max(x->enter, y->enter);
  const double leave = std::min(x->leave, y->leave);
  if (enter > leave || leave < 0 || enter > 1) return std::nullopt;
  return Entry{std::max(enter, 0.0), x->enter >= y->enter ? Entry::Side::x : Entry::Side::y};
}

}  // namespace tanks::sim
