#include "bot_memory.h"

#include <stdexcept>
#include <utility>

#include "wire.h"

namespace tanks {

namespace {

constexpr sim::Tick kDangerTicks = 2 * sim::kTicksPerSecond;  // outlasts the gap between two Captures
constexpr sim::Tick kUnderFireTicks = 4 * sim::kTicksPerSecond;

void become_wreck(KnownTank& tank, sim::Vec position, sim::Angle hull) {
  tank.fate = KnownTank::Fate::wreck;
  tank.position = position;
  tank.hull = hull;
  tank.speed_metres_per_second = 0;
  tank.hit_points = 0;
}

}  // namespace

void BotMemory::hear(Assigned::Reader assigned) {
  seat_ = assigned.getSeat();
}

void BotMemory::hear(Field::Reader field) {
  if (field.getKinds().size() > sim::kMaxTanks) throw std::invalid_argument("too many seats");
  tick_ = field.getTick();
  const auto bases = field.getBases();
  for (uint i = 0; i < bases.size() && i < bases_.size(); ++i) {
    bases_[i] = to_metres(bases[i].getX(), bases[i].getY());
  }
  std::vector<sim::Obstacle> obstacles;
  for (const auto obstacle : field.getObstacles()) obstacles.push_back(from_wire(obstacle));
  map_ = sim::Map(std::move(obstacles));
  tanks_.clear();
  for (const auto kind : field.getKinds()) tanks_.push_back({.kind = from_wire(kind)});
  for (const auto wreck : field.getWrecks()) {
    become_wreck(tanks_.at(wreck.getSeat()), to_metres(wreck.getX(), wreck.getY()), wreck.getHull());
  }
}

void BotMemory::hear(TeamView::Reader view) {
  tick_ = view.getTick();
  for (const auto seen : view.getTanks()) {
    if (seen.getSeat() >= tanks_.size()) continue;
    KnownTank& tank = tanks_[seen.getSeat()];
    tank.fate = KnownTank::Fate::alive;
    tank.seen_at = tick_;
    tank.position = to_metres(seen.getX(), seen.getY());
    tank.hull = seen.getHull();
    tank.turret = seen.getTurret();
    tank.speed_metres_per_second = seen.getSpeed() / kWireSpeedUnits;
    tank.hit_points = seen.getHitPoints();
    tank.reload_ticks = seen.getReloadTicks();
  }
}

void BotMemory::hear(Impact::Reader impact) {
  if (impact.getVictim() != seat_) return;
  under_fire_until_ = tick_ + kUnderFireTicks;
  struck_from_ = static_cast<sim::Angle>(impact.getHeading() + sim::degrees(180));
}

void BotMemory::hear(Destroyed::Reader destroyed) {
  if (destroyed.getSeat() >= tanks_.size()) return;
  become_wreck(tanks_[destroyed.getSeat()], to_metres(destroyed.getX(), destroyed.getY()), destroyed.getHull());
}

void BotMemory::hear(Capture::Reader capture) {
  if (capture.getOwner() != team()) return;
  base_attacked_until_ = capture.getTicks() > 0 ? tick_ + kDangerTicks : 0;
}

bool BotMemory::in_battle() const {
  return seat_ < tanks_.size() && me().fate == KnownTank::Fate::alive;
}

bool BotMemory::in_sight(sim::Seat seat) const {
  if (seat >= tanks_.size()) return false;
  return tanks_[seat].fate == KnownTank::Fate::alive && tanks_[seat].seen_at == tick_;
}

bool BotMemory::base_in_danger() const {
  return tick_ < base_attacked_until_;
}

bool BotMemory::under_fire() const {
  return tick_ < under_fire_until_;
}

}  // namespace tanks
