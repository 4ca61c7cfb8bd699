#include "map.h"

#include <algorithm>

#include "random.h"

namespace tanks::sim {

namespace {

constexpr int kPairs = 26;
constexpr int kAttempts = 600;
// Two tanks abreast pass between any two obstacles, so that no tank can be walled in.
constexpr double kGapMetres = 15;
constexpr double kFreeAroundBaseMetres = 85;
static_assert(2 * kPairs <= kMaxObstacles);

bool is_solid(const Obstacle& obstacle) {
  return obstacle.kind != Obstacle::Kind::wood;
}

std::optional<Entry> enter(const Obstacle& obstacle, Vec from, Vec to) {
  if (obstacle.kind == Obstacle::Kind::building) {
    return enter_box(from, to, obstacle.centre, obstacle.half);
  }
  return enter_circle(from, to, obstacle.centre, obstacle.half.x);
}

double outer_radius(const Obstacle& obstacle) {
  return obstacle.kind == Obstacle::Kind::building ? length(obstacle.half) : obstacle.half.x;
}

Obstacle mirrored(Obstacle obstacle) {
  obstacle.centre = Vec{kMapSizeMetres, kMapSizeMetres} - obstacle.centre;
  return obstacle;
}

Obstacle draw(Random& random) {
  constexpr int kEdge = 40;
  Obstacle obstacle;
  obstacle.centre.x = random.between(kEdge, static_cast<int>(kMapSizeMetres) - kEdge);
  obstacle.centre.y = random.between(kEdge, static_cast<int>(kMapSizeMetres) - kEdge);
  const int dice = random.between(0, 99);
  if (dice < 45) {
    const double radius = random.between(6, 14);
    obstacle.half = {radius, radius};
  } else if (dice < 75) {
    obstacle.kind = Obstacle::Kind::building;
    obstacle.half.x = random.between(6, 18);
    obstacle.half.y = random.between(6, 18);
  } else {
    obstacle.kind = Obstacle::Kind::wood;
    const double radius = random.between(12, 24);
    obstacle.half = {radius, radius};
  }
  return obstacle;
}

bool apart(const Obstacle& a, const Obstacle& b) {
  return !within(a.centre, b.centre, outer_radius(a) + outer_radius(b) + kGapMetres);
}

bool has_room(const Obstacle& candidate, const std::vector<Obstacle>& placed) {
  for (const Vec base : kBases) {
    if (within(candidate.centre, base, outer_radius(candidate) + kFreeAroundBaseMetres)) {
      return false;
    }
  }
  return apart(candidate, mirrored(candidate)) &&
         std::all_of(placed.begin(), placed.end(), [&](const Obstacle& other) { return apart(candidate, other); });
}

Vec pushed_out_of_circle(Vec position, Vec centre, double distance) {
  const Vec offset = position - centre;
  const double squared = length_squared(offset);
  if (squared >= distance * distance) return position;
  if (squared == 0) return centre + Vec{distance, 0};
  return centre + offset * (distance / std::sqrt(squared));
}

Vec pushed_out_of_box(Vec position, const Obstacle& box, double radius) {
  const Vec offset = position - box.centre;
  const Vec nearest = {std::clamp(offset.x, -box.half.x, box.half.x), std::clamp(offset.y, -box.half.y, box.half.y)};
  if (nearest != offset) return pushed_out_of_circle(position, box.centre + nearest, radius);
  // Inside, where no tank gets by driving: out through the nearest side.
  const Vec depth = {box.half.x - std::abs(offset.x), box.half.y - std::abs(offset.y)};
  Vec moved = position;
  if (depth.x < depth.y) {
    moved.x += (depth.x + radius) * (offset.x < 0 ? -1 : 1);
  } else {
    moved.y += (depth.y + radius) * (offset.y < 0 ? -1 : 1);
  }
  return moved;
}

}  // namespace

Map Map::generate(uint64_t seed) {
  Random random{seed};
  std::vector<Obstacle> placed;
  for (int attempt = 0; attempt < kAttempts && placed.size() < 2 * kPairs; ++attempt) {
    const Obstacle candidate = draw(random);
    if (!has_room(candidate, placed)) continue;
    placed.push_back(candidate);
    placed.push_back(mirrored(candidate));
  }
  return Map(std::move(placed));
}

bool Map::contains(Vec position) {
  return position.x >= 0 && position.y >= 0 && position.x <= kMapSizeMetres && position.y <= kMapSizeMetres;
}

std::optional<double> Map::first_solid(Vec from, Vec to) const {
  std::optional<double> first;
  for (const Obstacle& obstacle : obstacles_) {
    if (!is_solid(obstacle)) continue;
    const auto entry = enter(obstacle, from, to);
    if (entry && (!first || entry->fraction < *first)) first = entry->fraction;
  }
  return first;
}

bool Map::sees(Vec eye, Vec target) const {
  for (const Obstacle& obstacle : obstacles_) {
    const auto entry = enter(obstacle, eye, target);
    if (!entry) continue;
    const bool looks_out_of_it = !is_solid(obstacle) && entry->fraction == 0;
    if (!looks_out_of_it) return false;
  }
  return true;
}

Vec Map::pushed_out(Vec position, double radius) const {
  for (const Obstacle& obstacle : obstacles_) {
    if (!is_solid(obstacle)) continue;
    position = obstacle.kind == Obstacle::Kind::building
                   ? pushed_out_of_box(position, obstacle, radius)
                   : pushed_out_of_circle(position, obstacle.centre, obstacle.half.x + radius);
  }
  return {std::clamp(position.x, radius, kMapSizeMetres - radius), std::clamp(position.y, radius, kMapSizeMetres - radius)};
}

}  // namespace tanks::sim
