// The battlefield: a square with two bases and obstacles, the same for both sides, since one half
// is the other turned by 180 degrees.
//
//               stops tanks   stops shells   hides
//   rock            yes           yes         yes     a circle
//   building        yes           yes         yes     an upright box
//   wood            no            no          yes     a circle; who stands in it looks out of it
//
// Every obstacle lies on whole metres, so that it goes over the wire without loss.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "geometry.h"

namespace tanks::sim {

constexpr double kMapSizeMetres = 800;
constexpr double kBaseRadiusMetres = 30;
constexpr std::array<Vec, 2> kBases = {Vec{110, 400}, Vec{690, 400}};
constexpr size_t kMaxObstacles = 64;

struct Obstacle {
  enum class Kind : uint8_t { rock, building, wood };

  Kind kind = Kind::rock;
  Vec centre;
  Vec half;  // half width and half height of a building; both the radius of a circle

  bool operator==(const Obstacle&) const = default;
};

class Map {
 public:
  Map() = default;
  explicit Map(std::vector<Obstacle> obstacles) : obstacles_(std::move(obstacles)) {}
  static Map generate(uint64_t seed);

  bool operator==(const Map&) const = default;
  [[nodiscard]] const std::vector<Obstacle>& obstacles() const { return obstacles_; }
  static bool contains(Vec position);

  // The fraction of the way at which a shell strikes a rock or a building.
  [[nodiscard]] std::optional<double> first_solid(Vec from, Vec to) const;
  // Whether an eye at `eye` sees what is at `target`, however far away.
  [[nodiscard]] bool sees(Vec eye, Vec target) const;
  // The nearest place to `position` where a circle of this radius touches no rock, no building and
  // not the edge; `position` itself if it is free.
  [[nodiscard]] Vec pushed_out(Vec position, double radius) const;

 private:
  std::vector<Obstacle> obstacles_;
};

}  // namespace tanks::sim
