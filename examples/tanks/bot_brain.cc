#include "bot_brain.h"

#include "bearing.h"

namespace tanks {

namespace {

constexpr sim::Tick kThinkTicks = 5;
constexpr sim::Tick kMemoryTicks = 15 * sim::kTicksPerSecond;
constexpr size_t kDefenders = 4;
constexpr double kArrivedMetres = 12;
constexpr double kFlankMetres = 55;
constexpr double kGoodChance = 0.45;
constexpr int kOneRaiderIn = 5;
constexpr double kEdgeMetres = 60;

double favourite_distance_metres(sim::Vehicle::Kind kind) {
  switch (kind) {
    case sim::Vehicle::Kind::light:
      return 150;
    case sim::Vehicle::Kind::medium:
      return 120;
    case sim::Vehicle::Kind::heavy:
      return 90;
  }
  __builtin_unreachable();
}

bool badly_hurt(const KnownTank& tank) {
  return tank.hit_points * 4 < sim::vehicle(tank.kind).hit_points;
}

template <class T>
bool hear_as(BotMemory& memory, uint64_t type, capnp::AnyPointer::Reader message) {
  if (type != capnp::typeId<T>()) return false;
  memory.hear(message.getAs<T>());
  return true;
}

template <class... T>
void hear_one_of(BotMemory& memory, uint64_t type, capnp::AnyPointer::Reader message) {
  (void)(hear_as<T>(memory, type, message) || ...);
}

}  // namespace

BotBrain::BotBrain(uint64_t seed) {
  sim::Random random{seed};
  raider_ = random.between(1, kOneRaiderIn) == 1;
  lane_metres_ = raider_ ? kEdgeMetres + random.between(0, 1) * (sim::kMapSizeMetres - 2 * kEdgeMetres)
                         : random.between(120, static_cast<int>(sim::kMapSizeMetres) - 120);
  closeness_ = random.factor(0.3);
  slant_ = random.between(0, 1) == 0 ? -1 : 1;
  think_phase_ = static_cast<sim::Tick>(random.between(0, kThinkTicks - 1));
}

void BotBrain::hear(uint64_t type, capnp::AnyPointer::Reader message) {
  hear_one_of<TeamView, Impact, Capture, Destroyed, Assigned, Field>(memory_, type, message);
}

sim::Order BotBrain::decide() {
  if (!memory_.in_battle()) return {};
  if (time_to_think()) gunner_.choose_target(memory_);
  const Aim aim = gunner_.take_aim(memory_);
  if (time_to_think()) {
    goal_ = choose_goal(aim);
    driver_.choose_heading(memory_, goal_);
  }
  const Controls controls = drive(aim);
  return {.throttle_percent = controls.throttle_percent,
          .turn_percent = controls.turn_percent,
          .turret = aim.target == sim::kNobody ? look_out() : aim.turret,
          .fire = aim.fire};
}

bool BotBrain::time_to_think() const {
  return (memory_.now() + think_phase_) % kThinkTicks == 0;
}

// The nearest few go; the others go on attacking.
bool BotBrain::should_defend() const {
  if (!memory_.base_in_danger()) return false;
  const sim::Vec base = memory_.base_of(memory_.team());
  const double mine = sim::length_squared(memory_.me().position - base);
  size_t nearer = 0;
  for (sim::Seat seat = memory_.team(); seat < memory_.seat_count(); seat += 2) {
    if (!memory_.in_sight(seat)) continue;
    if (sim::length_squared(memory_.tanks()[seat].position - base) < mine) ++nearer;
  }
  return nearer < kDefenders;
}

sim::Vec BotBrain::choose_goal(const Aim& aim) const {
  if (should_defend()) return memory_.base_of(memory_.team());
  if (raider_) return way_to_enemy_base();
  if (aim.target != sim::kNobody) return place_to_fight(aim);
  return place_to_hunt().value_or(way_to_enemy_base());
}

sim::Vec BotBrain::place_to_fight(const Aim& aim) const {
  const KnownTank& target = memory_.tanks()[aim.target];
  if (!aim.clear || aim.penetration >= kGoodChance) return target.position;
  // Its front holds: round to the side that is nearer, where the armour is thin.
  const sim::Vec ahead = sim::direction(target.hull);
  const sim::Vec offset = memory_.me().position - target.position;
  const double side = sim::cross(ahead, offset) >= 0 ? 1 : -1;
  return target.position + sim::Vec{-ahead.y, ahead.x} * (side * kFlankMetres);
}

// Where the nearest enemy was seen last, unless it is gone from there or that is long ago.
std::optional<sim::Vec> BotBrain::place_to_hunt() const {
  const sim::Vec here = memory_.me().position;
  std::optional<sim::Vec> nearest;
  for (sim::Seat seat = sim::enemy_of(memory_.team()); seat < memory_.seat_count(); seat += 2) {
    const KnownTank& tank = memory_.tanks()[seat];
    const bool remembered = tank.fate == KnownTank::Fate::alive && memory_.now() - tank.seen_at < kMemoryTicks &&
                            !within(tank.position, here, kArrivedMetres);
    if (!remembered) continue;
    const double squared = sim::length_squared(tank.position - here);
    if (!nearest || squared < sim::length_squared(*nearest - here)) nearest = tank.position;
  }
  return nearest;
}

sim::Vec BotBrain::way_to_enemy_base() const {
  const sim::Vec here = memory_.me().position;
  const sim::Vec home = memory_.base_of(memory_.team());
  const sim::Vec target = memory_.base_of(sim::enemy_of(memory_.team()));
  const bool in_own_half = sim::length_squared(here - home) < sim::length_squared(here - target);
  return in_own_half ? sim::Vec{(home.x + target.x) / 2, lane_metres_} : target;
}

Controls BotBrain::drive(const Aim& aim) {
  const KnownTank& me = memory_.me();
  if (aim.target == sim::kNobody || raider_ || should_defend()) {
    if (within(me.position, goal_, kArrivedMetres)) return driver_.face(memory_, look_out());
    return driver_.go(memory_);
  }
  const double metres = sim::length(memory_.tanks()[aim.target].position - me.position);
  const double favourite = favourite_distance_metres(me.kind) * closeness_;
  if (badly_hurt(me) && me.reload_ticks > sim::kTicksPerSecond && metres < favourite) {
    return driver_.back_away(memory_, aim.turret);
  }
  const bool good_place = aim.clear && aim.penetration >= kGoodChance && metres <= favourite;
  const bool about_to_fire = aim.clear && aim.penetration >= kGoodChance && me.reload_ticks < sim::kTicksPerSecond / 2;
  if (!good_place && !about_to_fire) return driver_.go(memory_);
  // Slanting armour is thicker armour.
  return driver_.face(memory_, static_cast<sim::Angle>(aim.turret + slant_ * sim::degrees(18)));
}

sim::Angle BotBrain::look_out() const {
  if (memory_.under_fire()) return memory_.fire_from();
  const sim::Vec here = memory_.me().position;
  return within(here, goal_, kArrivedMetres) ? bearing(here, memory_.base_of(sim::enemy_of(memory_.team())))
                                             : bearing(here, goal_);
}

}  // namespace tanks
