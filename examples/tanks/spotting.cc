#include "spotting.h"

namespace tanks::sim {

namespace {

bool conspicuous(const Situation& situation, const Tank& tank) {
  return tank.speed_metres_per_second != 0 || situation.tick < tank.conspicuous_until;
}

Seat find_spotter(const Situation& situation, Seat target) {
  for (Seat seat = enemy_of(team_of(target)); seat < situation.seat_count(); seat += 2) {
    const Tank& spotter = situation.tanks[seat];
    if (spotter.alive() && spots(situation, spotter, situation.tanks[target])) return seat;
  }
  return kNobody;
}

void look_for(Situation& situation, Seat target, Facts& facts) {
  const Seat spotter = find_spotter(situation, target);
  if (spotter == kNobody) return;
  Tank& tank = situation.tanks[target];
  const bool was_visible = situation.tick < tank.visible_until;
  tank.visible_until = situation.tick + kVisibleTicks;
  if (!tank.discovered) {
    tank.discovered = true;
    ++situation.tanks[spotter].tally.spotted;
  }
  if (!was_visible) facts.emplace_back(Contact{target, spotter});
}

}  // namespace

bool spots(const Situation& situation, const Tank& spotter, const Tank& target) {
  if (within(spotter.position, target.position, kNoticedMetres)) return true;
  const double view = vehicle(spotter.kind).view_metres;
  const double hidden = conspicuous(situation, target) ? 1 : vehicle(target.kind).concealment;
  return within(spotter.position, target.position, view * hidden) && situation.map.sees(spotter.position, target.position);
}

void spot_tanks(Situation& situation, Facts& facts) {
  for (Seat seat = 0; seat < situation.seat_count(); ++seat) {
    Tank& tank = situation.tanks[seat];
    if (!tank.alive()) continue;
    if ((situation.tick + seat) % kSpottingTicks == 0) look_for(situation, seat, facts);
    if (situation.tick == tank.visible_until) facts.emplace_back(Contact{seat, kNobody});
  }
}

}  // namespace tanks::sim
