#include "gunnery.h"

#include <algorithm>
#include <optional>

#include "armour.h"

namespace tanks::sim {

namespace {

// The sum of two dice: small errors are more frequent than large ones.
Angle with_dispersion(Random& random, const Tank& tank, const Gun& gun) {
  const int factor = tank.speed_metres_per_second == 0 ? 1 : kMovingDispersionFactor;
  const double heat_factor = 1 + tank.gun_heat / kHeatThatDoublesDispersion;
  const double error = gun.dispersion * factor * heat_factor * (random.unit() + random.unit() - 1);
  return static_cast<Angle>(tank.turret + static_cast<int>(error));
}

void fire(Situation& situation, const Rules& rules, Seat shooter, Facts& facts) {
  Tank& tank = situation.tanks[shooter];
  const Gun& gun = vehicle(tank.kind).gun;
  Shell shell;
  shell.id = situation.next_shell_id++;
  shell.shooter = shooter;
  shell.gun_of = tank.kind;
  // From the turret's axis and not the muzzle, which may reach into what stands before the tank.
  shell.position = tank.position;
  shell.heading = with_dispersion(situation.random, tank, gun);
  shell.ticks_left = gun.range_ticks;
  shell.seen_by_enemy = visible_to_enemy(situation, shooter);
  situation.shells.push_back(shell);

  tank.reload_ticks = gun.reload_ticks;
  tank.gun_heat = std::min(tank.gun_heat + rules.heat_of_a_shot, kHottest);
  tank.conspicuous_until = situation.tick + kConspicuousTicks;
  ++tank.tally.shots;
  facts.emplace_back(ShotFired{shell.id, shooter, shell.position, shell.heading, shell.seen_by_enemy});
}

struct Target {
  Seat seat = kNobody;  // kNobody: an obstacle
  Strike strike{};
};

// The first thing on the shell's way of this tick.
std::optional<Target> first_target(const Situation& situation, const Shell& shell, Vec to) {
  std::optional<Target> first;
  const Vec middle = (shell.position + to) * 0.5;
  const double reach = length(to - shell.position) / 2 + length(kHullHalfMetres);
  for (Seat seat = 0; seat < situation.seat_count(); ++seat) {
    const Tank& tank = situation.tanks[seat];
    if (seat == shell.shooter || !within(tank.position, middle, reach)) continue;
    const auto strike = strike_hull(shell.position, to, tank.position, tank.hull);
    if (strike && (!first || strike->fraction < first->strike.fraction)) {
      first = Target{seat, *strike};
    }
  }
  const auto solid = situation.map.first_solid(shell.position, to);
  if (solid && (!first || *solid < first->strike.fraction)) {
    first = Target{kNobody, Strike{*solid, Facing::front, 1}};
  }
  return first;
}

Effect effect_on(Situation& situation, const Shell& shell, const Target& target) {
  if (target.seat == kNobody) return Effect::obstacle;
  const Tank& victim = situation.tanks[target.seat];
  if (!victim.alive() || team_of(target.seat) == team_of(shell.shooter)) return Effect::blocked;
  const double penetration_mm = vehicle(shell.gun_of).gun.penetration_mm * situation.random.factor(kPenetrationSpread);
  return judge(vehicle(victim.kind).armour, target.strike, penetration_mm);
}

// Returns the damage, which is never more than what was left of the victim.
uint32_t damage(Situation& situation, const Shell& shell, Seat victim_seat) {
  Tank& victim = situation.tanks[victim_seat];
  Tally& shooter = situation.tanks[shell.shooter].tally;
  const double drawn = vehicle(shell.gun_of).gun.damage * situation.random.factor(kDamageSpread);
  const int32_t dealt = std::min(static_cast<int32_t>(drawn), victim.hit_points);
  victim.hit_points -= dealt;
  victim.capture_ticks = 0;
  victim.tally.damage_received += static_cast<uint32_t>(dealt);
  shooter.damage_dealt += static_cast<uint32_t>(dealt);
  ++shooter.penetrations;
  if (!victim.alive()) {
    victim.speed_metres_per_second = 0;
    victim.tally.destroyed_at = situation.tick;
    ++shooter.kills;
  }
  return static_cast<uint32_t>(dealt);
}

void strike(Situation& situation, const Shell& shell, Vec to, const Target& target, Facts& facts) {
  const Effect effect = effect_on(situation, shell, target);
  const bool on_enemy = effect != Effect::obstacle && effect != Effect::blocked;
  if (on_enemy) ++situation.tanks[shell.shooter].tally.hits;
  const uint32_t dealt = effect == Effect::penetration ? damage(situation, shell, target.seat) : 0;
  const Vec at = shell.position + (to - shell.position) * target.strike.fraction;
  facts.emplace_back(Impact{shell.id, shell.shooter, shell.seen_by_enemy, at, shell.heading, effect, target.seat,
                            target.strike.facing, dealt});
  if (on_enemy && !situation.tanks[target.seat].alive()) {
    facts.emplace_back(Destroyed{target.seat, shell.shooter});
  }
}

// False when the shell's flight is over.
bool fly(Situation& situation, Shell& shell, Facts& facts) {
  const double metres = vehicle(shell.gun_of).gun.shell_metres_per_second * kTickSeconds;
  const Vec to = shell.position + direction(shell.heading) * metres;
  if (const auto target = first_target(situation, shell, to)) {
    strike(situation, shell, to, *target, facts);
    return false;
  }
  shell.position = to;
  return --shell.ticks_left > 0 && Map::contains(to);
}

}  // namespace

void fire_guns(Situation& situation, const Rules& rules, Facts& facts) {
  for (Seat seat = 0; seat < situation.seat_count(); ++seat) {
    Tank& tank = situation.tanks[seat];
    if (!tank.alive()) continue;
    if (tank.reload_ticks > 0) --tank.reload_ticks;
    if (tank.gun_heat > 0) --tank.gun_heat;
    if (tank.order.fire && tank.reload_ticks == 0) fire(situation, rules, seat, facts);
  }
}

void fly_shells(Situation& situation, Facts& facts) {
  size_t still_flying = 0;
  for (Shell& shell : situation.shells) {
    if (fly(situation, shell, facts)) situation.shells[still_flying++] = shell;
  }
  situation.shells.resize(still_flying);
}

}  // namespace tanks::sim
