#include "bot_gunner.h"

#include <algorithm>
#include <cstdlib>

#include "armour.h"
#include "bearing.h"
#include "gunnery.h"

namespace tanks {

namespace {

// Below this chance a shell is better kept for a better angle.
constexpr double kWorthAShell = 0.2;
constexpr double kKeepTarget = 1.25;
constexpr double kFriendlyMarginMetres = 4;

double range_metres(const sim::Gun& gun) {
  return gun.shell_metres_per_second * gun.range_ticks * sim::kTickSeconds;
}

sim::Vec velocity(const KnownTank& tank) {
  return sim::direction(tank.hull) * tank.speed_metres_per_second;
}

// Where the target will be when a shell fired now arrives. Each round refines the time of flight.
sim::Vec lead(const KnownTank& shooter, const KnownTank& target) {
  const sim::Gun& gun = sim::vehicle(shooter.kind).gun;
  sim::Vec place = target.position;
  for (int round = 0; round < 2; ++round) {
    const double flight_seconds = sim::length(place - shooter.position) / gun.shell_metres_per_second;
    place = target.position + velocity(target) * (flight_seconds + sim::kTickSeconds);
  }
  return place;
}

double penetration_chance(const KnownTank& shooter, const KnownTank& target, sim::Vec place) {
  const auto strike = sim::strike_hull(shooter.position, place, place, target.hull);
  if (!strike || sim::glances_off(*strike)) return 0;
  const double gun_mm = sim::vehicle(shooter.kind).gun.penetration_mm;
  const double armour_mm = sim::effective_armour_mm(sim::vehicle(target.kind).armour, *strike);
  const double best_mm = gun_mm * (1 + sim::kPenetrationSpread);
  return std::clamp((best_mm - armour_mm) / (2 * gun_mm * sim::kPenetrationSpread), 0.0, 1.0);
}

bool tank_in_line(const BotMemory& memory, sim::Seat target, sim::Vec place) {
  for (sim::Seat seat = 0; seat < memory.seat_count(); ++seat) {
    const KnownTank& tank = memory.tanks()[seat];
    const bool wreck = tank.fate == KnownTank::Fate::wreck;
    if (seat == memory.seat() || seat == target || !(wreck || memory.in_sight(seat))) continue;
    if (!wreck && memory.is_enemy(seat)) continue;
    if (sim::enter_circle(memory.me().position, place, tank.position, kFriendlyMarginMetres)) {
      return true;
    }
  }
  return false;
}

bool is_clear(const BotMemory& memory, sim::Seat target, sim::Vec place) {
  return !memory.map().first_solid(memory.me().position, place) && !tank_in_line(memory, target, place);
}

// Expected damage, less for what is far, hard to swing to, or out of reach.
double worth(const BotMemory& memory, sim::Seat seat) {
  const KnownTank& me = memory.me();
  const KnownTank& target = memory.tanks()[seat];
  const sim::Gun& gun = sim::vehicle(me.kind).gun;
  const sim::Vec place = lead(me, target);
  const double metres = sim::length(place - me.position);
  const int swing = std::abs(sim::turn_between(me.turret, bearing(me.position, place)));
  const double finishes = target.hit_points <= gun.damage ? 2 : 1;
  const double reachable = metres < range_metres(gun) && is_clear(memory, seat, place) ? 1 : 0.15;
  return reachable * finishes * (0.2 + penetration_chance(me, target, place)) / (1 + metres / 100) / (1 + swing / 16384.0);
}

bool points_at(sim::Angle turret, sim::Angle wanted, double metres) {
  const sim::Angle half_target = bearing({}, {metres, sim::kHullHalfMetres.y});
  return std::abs(sim::turn_between(turret, wanted)) <= half_target;
}

}  // namespace

void BotGunner::choose_target(const BotMemory& memory) {
  sim::Seat best = sim::kNobody;
  double best_worth = 0;
  for (sim::Seat seat = sim::enemy_of(memory.team()); seat < memory.seat_count(); seat += 2) {
    if (!memory.in_sight(seat)) continue;
    const double seat_worth = worth(memory, seat) * (seat == target_ ? kKeepTarget : 1);
    if (seat_worth <= best_worth) continue;
    best = seat;
    best_worth = seat_worth;
  }
  target_ = best;
}

Aim BotGunner::take_aim(const BotMemory& memory) const {
  Aim aim;
  if (target_ == sim::kNobody || !memory.in_sight(target_)) return aim;
  const KnownTank& me = memory.me();
  const KnownTank& target = memory.tanks()[target_];
  const sim::Vec place = lead(me, target);
  const double metres = sim::length(place - me.position);
  aim.target = target_;
  aim.turret = bearing(me.position, place);
  aim.penetration = penetration_chance(me, target, place);
  aim.clear = metres < range_metres(sim::vehicle(me.kind).gun) && is_clear(memory, target_, place);
  aim.fire = aim.clear && me.reload_ticks <= 1 && aim.penetration >= kWorthAShell && points_at(me.turret, aim.turret, metres);
  return aim;
}

}  // namespace tanks
