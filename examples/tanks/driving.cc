#include "driving.h"

#include <algorithm>

namespace tanks::sim {

namespace {

double wanted_speed(const Vehicle& spec, int throttle_percent) {
  const double top = throttle_percent >= 0 ? spec.forward_metres_per_second : spec.reverse_metres_per_second;
  return top * throttle_percent / 100;
}

double approach(double speed, double wanted, double acceleration) {
  const bool brakes = speed * wanted < 0 || std::abs(wanted) < std::abs(speed);
  const double step = acceleration * kTickSeconds * (brakes ? 2 : 1);
  return speed + std::clamp(wanted - speed, -step, step);
}

void turn(Tank& tank, const Vehicle& spec) {
  const int hull_turn = spec.hull_turn_per_tick * tank.order.turn_percent / 100;
  tank.hull = static_cast<Angle>(tank.hull + hull_turn);
  // The hull carries the turret with it; the turret's own drive then works toward its aim.
  const auto carried = static_cast<Angle>(tank.turret + hull_turn);
  tank.turret = turned_toward(carried, tank.order.turret, spec.turret_turn_per_tick);
}

Vec pushed_off_other_tanks(const Situation& situation, const Tank& mover, Vec position) {
  constexpr double kApart = 2 * kTankRadiusMetres;
  for (const Tank& other : situation.tanks) {
    if (&other == &mover) continue;
    const Vec offset = position - other.position;
    const double squared = length_squared(offset);
    if (squared >= kApart * kApart || squared == 0) continue;
    position = other.position + offset * (kApart / std::sqrt(squared));
  }
  return position;
}

void move(Situation& situation, Tank& tank) {
  const Vec ahead = direction(tank.hull);
  const Vec wanted = tank.position + ahead * (tank.speed_metres_per_second * kTickSeconds);
  const Vec free = pushed_off_other_tanks(situation, tank, wanted);
  const Vec reached = situation.map.pushed_out(free, kTankRadiusMetres);
  if (reached != wanted) {
    // Whatever it ran into takes its speed; being pushed aside gives it none.
    const double most = std::abs(tank.speed_metres_per_second);
    const double kept = dot(reached - tank.position, ahead) / kTickSeconds;
    tank.speed_metres_per_second = std::clamp(kept, -most, most);
  }
  tank.position = reached;
}

}  // namespace

void drive_tanks(Situation& situation) {
  for (Tank& tank : situation.tanks) {
    if (!tank.alive()) continue;
    const Vehicle& spec = vehicle(tank.kind);
    turn(tank, spec);
    tank.speed_metres_per_second =
        approach(tank.speed_metres_per_second, wanted_speed(spec, tank.order.throttle_percent), spec.acceleration);
    if (tank.speed_metres_per_second != 0) move(situation, tank);
  }
}

}  // namespace tanks::sim
