// The plane that a battle is fought on: metres, and angles as whole numbers.
//
// Nothing here calls libm except sqrt, which IEEE 754 rounds exactly, so that a battle that is run
// again gives the same bits on any machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace tanks::sim {

// 65536 to a full turn, anticlockwise from the x axis. Sums wrap round by themselves.
using Angle = uint16_t;

constexpr double kAnglesPerDegree = 65536.0 / 360.0;

constexpr Angle degrees(double value) {
  return static_cast<Angle>(static_cast<int32_t>(value * kAnglesPerDegree));
}

// The shorter way round, from -32768 to 32767; positive is anticlockwise.
constexpr int turn_between(Angle from, Angle to) {
  return static_cast<int16_t>(static_cast<uint16_t>(to - from));
}

// `from` turned toward `to`, by `most` at most.
constexpr Angle turned_toward(Angle from, Angle to, int most) {
  const int turn = turn_between(from, to);
  if (turn > most) return static_cast<Angle>(from + most);
  if (turn < -most) return static_cast<Angle>(from - most);
  return to;
}

struct Vec {
  double x = 0;
  double y = 0;

  bool operator==(const Vec&) const = default;
  Vec operator+(Vec other) const { return {x + other.x, y + other.y}; }
  Vec operator-(Vec other) const { return {x - other.x, y - other.y}; }
  Vec operator*(double factor) const { return {x * factor, y * factor}; }
};

inline double dot(Vec a, Vec b) {
  return a.x * b.x + a.y * b.y;
}
inline double cross(Vec a, Vec b) {
  return a.x * b.y - a.y * b.x;
}
inline double length_squared(Vec v) {
  return dot(v, v);
}
inline double length(Vec v) {
  return std::sqrt(length_squared(v));
}
inline bool within(Vec a, Vec b, double distance) {
  return length_squared(a - b) <= distance * distance;
}

// The unit vector of an angle; right to 1e-11.
Vec direction(Angle angle);

// Where a way enters a shape.
struct Entry {
  enum class Side { x, y };

  double fraction;  // of the way, 0 to 1; 0 if the way begins inside
  Side side;        // of a box: the axis that is across the side it came through; of a circle: x
};

std::optional<Entry> enter_circle(Vec from, Vec to, Vec centre, double radius);
// An upright box of the given half sizes.
std::optional<Entry> enter_box(Vec from, Vec to, Vec centre, Vec half);

}  // namespace tanks::sim
