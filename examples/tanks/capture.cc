#include "capture.h"

namespace tanks::sim {

namespace {

bool stands_in_base(const Tank& tank, Team owner) {
  return tank.alive() && within(tank.position, kBases[owner], kBaseRadiusMetres);
}

uint32_t count_in_base(const Situation& situation, Team team, Team owner) {
  uint32_t count = 0;
  for (Seat seat = team; seat < situation.seat_count(); seat += 2) {
    if (stands_in_base(situation.tanks[seat], owner)) ++count;
  }
  return count;
}

void earn(Situation& situation, Team owner, bool contested) {
  uint32_t earners = 0;
  for (Seat seat = enemy_of(owner); seat < situation.seat_count(); seat += 2) {
    Tank& tank = situation.tanks[seat];
    if (!stands_in_base(tank, owner)) {
      tank.capture_ticks = 0;
    } else if (!contested && earners++ < kMaxCapturers) {
      ++tank.capture_ticks;
    }
  }
}

void capture(Situation& situation, Team owner, Facts& facts) {
  const uint32_t before = captured_ticks(situation, owner);
  const uint32_t invaders = count_in_base(situation, enemy_of(owner), owner);
  if (before == 0 && invaders == 0) return;
  const bool contested = count_in_base(situation, owner, owner) > 0;
  earn(situation, owner, contested);
  const uint32_t after = captured_ticks(situation, owner);
  const bool began_or_ended = (before == 0) != (after == 0);
  if (began_or_ended || (after > 0 && situation.tick % kTicksPerSecond == 0)) {
    facts.emplace_back(CaptureProgress{owner, after, invaders, contested});
  }
}

}  // namespace

uint32_t captured_ticks(const Situation& situation, Team owner) {
  uint32_t sum = 0;
  for (Seat seat = enemy_of(owner); seat < situation.seat_count(); seat += 2) {
    sum += situation.tanks[seat].capture_ticks;
  }
  return sum;
}

void capture_bases(Situation& situation, Facts& facts) {
  capture(situation, 0, facts);
  capture(situation, 1, facts);
}

}  // namespace tanks::sim
