#include "wire.h"

#include <algorithm>
#include <stdexcept>

#include "capture.h"

namespace tanks {

namespace {

// Enums of the wire whose values are those of the simulation's: no table is needed between them.
template <class Wire, class Sim>
constexpr bool same(Wire wire, Sim sim) {
  return static_cast<int>(wire) == static_cast<int>(sim);
}
static_assert(same(Kind::LIGHT, sim::Vehicle::Kind::light));
static_assert(same(Kind::MEDIUM, sim::Vehicle::Kind::medium));
static_assert(same(Kind::HEAVY, sim::Vehicle::Kind::heavy));
static_assert(same(ObstacleKind::ROCK, sim::Obstacle::Kind::rock));
static_assert(same(ObstacleKind::BUILDING, sim::Obstacle::Kind::building));
static_assert(same(ObstacleKind::WOOD, sim::Obstacle::Kind::wood));
static_assert(same(Facing::FRONT, sim::Facing::front));
static_assert(same(Facing::SIDE, sim::Facing::side));
static_assert(same(Facing::REAR, sim::Facing::rear));
static_assert(same(Effect::OBSTACLE, sim::Effect::obstacle));
static_assert(same(Effect::BLOCKED, sim::Effect::blocked));
static_assert(same(Effect::RICOCHET, sim::Effect::ricochet));
static_assert(same(Effect::NO_PENETRATION, sim::Effect::no_penetration));
static_assert(same(Effect::PENETRATION, sim::Effect::penetration));
static_assert(same(EndReason::DESTROYED, sim::Outcome::Reason::destroyed));
static_assert(same(EndReason::CAPTURED, sim::Outcome::Reason::captured));
static_assert(same(EndReason::TIME_OVER, sim::Outcome::Reason::time_over));
static_assert(NOBODY == sim::kNobody && NOBODY == sim::kNoTeam);

// `last` is the highest value that exists: a message may carry any number.
template <class Sim, class Wire>
Sim checked(Wire value, Sim last) {
  if (static_cast<int>(value) > static_cast<int>(last)) {
    throw std::invalid_argument("a value that its enum does not have");
  }
  return static_cast<Sim>(value);
}

template <class Place>
void fill_place(Place message, sim::Vec position) {
  message.setX(to_wire(position.x));
  message.setY(to_wire(position.y));
}

int8_t speed_to_wire(double metres_per_second) {
  return static_cast<int8_t>(metres_per_second * kWireSpeedUnits);
}

enum class Side { own, enemy };

void fill(TankView::Builder message, const sim::Tank& tank, sim::Seat seat, Side side) {
  message.setSeat(seat);
  fill_place(message, tank.position);
  message.setSpeed(speed_to_wire(tank.speed_metres_per_second));
  message.setHull(tank.hull);
  message.setTurret(tank.turret);
  message.setHitPoints(static_cast<uint16_t>(tank.hit_points));
  if (side == Side::own) message.setReloadTicks(static_cast<uint16_t>(tank.reload_ticks));
}

bool in_view(const sim::Situation& situation, sim::Team team, sim::Seat seat) {
  return sim::team_of(seat) == team ? situation.tanks[seat].alive() : visible_to_enemy(situation, seat);
}

void fill(Wreck::Builder message, const sim::Tank& tank, sim::Seat seat) {
  message.setSeat(seat);
  message.setHull(tank.hull);
  fill_place(message, tank.position);
}

void fill_wrecks(Field::Builder message, const sim::Situation& situation) {
  const auto alive = [](const sim::Tank& tank) { return tank.alive(); };
  const auto dead =
      situation.tanks.size() - static_cast<size_t>(std::count_if(situation.tanks.begin(), situation.tanks.end(), alive));
  auto wrecks = message.initWrecks(static_cast<uint>(dead));
  uint next = 0;
  for (sim::Seat seat = 0; seat < situation.seat_count(); ++seat) {
    if (!situation.tanks[seat].alive()) fill(wrecks[next++], situation.tanks[seat], seat);
  }
}

Standing standing(sim::Team team, sim::Team winner) {
  if (winner == sim::kNoTeam) return Standing::DRAWN;
  return team == winner ? Standing::WON : Standing::LOST;
}

}  // namespace

Kind to_wire(sim::Vehicle::Kind kind) {
  return static_cast<Kind>(kind);
}

sim::Vehicle::Kind from_wire(Kind kind) {
  return checked(kind, sim::Vehicle::Kind::heavy);
}

sim::Obstacle from_wire(Obstacle::Reader obstacle) {
  return {.kind = checked(obstacle.getKind(), sim::Obstacle::Kind::wood),
          .centre = to_metres(obstacle.getX(), obstacle.getY()),
          .half = to_metres(obstacle.getHalfWidth(), obstacle.getHalfHeight())};
}

sim::Order from_wire(Order::Reader order) {
  return {.throttle_percent = order.getThrottle(),
          .turn_percent = order.getTurn(),
          .turret = order.getTurret(),
          .fire = order.getFire()};
}

void fill(Order::Builder message, const sim::Order& order) {
  message.setThrottle(order.throttle_percent);
  message.setTurn(order.turn_percent);
  message.setTurret(order.turret);
  message.setFire(order.fire);
}

void fill(Obstacle::Builder message, const sim::Obstacle& obstacle) {
  message.setKind(static_cast<ObstacleKind>(obstacle.kind));
  fill_place(message, obstacle.centre);
  message.setHalfWidth(to_wire(obstacle.half.x));
  message.setHalfHeight(to_wire(obstacle.half.y));
}

void fill(Assigned::Builder message, const sim::Situation& situation, sim::Seat seat) {
  message.setSeat(seat);
  message.setTeam(sim::team_of(seat));
  message.setKind(to_wire(situation.tanks[seat].kind));
}

void fill(Field::Builder message, const sim::Situation& situation) {
  message.setTick(situation.tick);
  message.setEndTick(situation.end_tick);
  message.setSize(to_wire(sim::kMapSizeMetres));
  message.setBaseRadius(to_wire(sim::kBaseRadiusMetres));
  auto bases = message.initBases(sim::kBases.size());
  for (uint i = 0; i < bases.size(); ++i) fill_place(bases[i], sim::kBases[i]);
  const auto& on_map = situation.map.obstacles();
  auto obstacles = message.initObstacles(static_cast<uint>(on_map.size()));
  for (uint i = 0; i < obstacles.size(); ++i) fill(obstacles[i], on_map[i]);
  auto kinds = message.initKinds(situation.seat_count());
  for (uint i = 0; i < kinds.size(); ++i) kinds.set(i, to_wire(situation.tanks[i].kind));
  fill_wrecks(message, situation);
}

void fill(TeamView::Builder message, const sim::Situation& situation, sim::Team team) {
  uint count = 0;
  for (sim::Seat seat = 0; seat < situation.seat_count(); ++seat) {
    count += in_view(situation, team, seat) ? 1 : 0;
  }
  message.setTick(situation.tick);
  auto views = message.initTanks(count);
  uint next = 0;
  for (sim::Seat seat = 0; seat < situation.seat_count(); ++seat) {
    if (!in_view(situation, team, seat)) continue;
    fill(views[next++], situation.tanks[seat], seat, sim::team_of(seat) == team ? Side::own : Side::enemy);
  }
}

void fill(ShotFired::Builder message, const sim::ShotFired& shot) {
  message.setShell(shot.shell);
  message.setShooter(shot.shooter);
  message.setHeading(shot.heading);
  fill_place(message, shot.from);
}

void fill(Impact::Builder message, const sim::Impact& impact) {
  message.setShell(impact.shell);
  fill_place(message, impact.at);
  message.setHeading(impact.heading);
  message.setDamage(static_cast<uint16_t>(impact.damage));
  message.setVictim(impact.victim);
  message.setEffect(static_cast<Effect>(impact.effect));
  message.setFacing(static_cast<Facing>(impact.facing));
}

void fill(Destroyed::Builder message, const sim::Situation& situation, const sim::Destroyed& destroyed) {
  const sim::Tank& wreck = situation.tanks[destroyed.seat];
  message.setSeat(destroyed.seat);
  message.setBy(destroyed.by);
  message.setHull(wreck.hull);
  fill_place(message, wreck.position);
}

void fill(Contact::Builder message, const sim::Contact& contact) {
  message.setSeat(contact.seat);
  message.setSpotter(contact.spotter);
}

void fill(Capture::Builder message, const sim::CaptureProgress& capture) {
  message.setOwner(capture.owner);
  message.setInvaders(static_cast<uint8_t>(capture.invaders));
  message.setContested(capture.contested);
  message.setTicks(capture.ticks);
  message.setNeededTicks(sim::kCapturedTicks);
}

void fill(Finished::Builder message, const sim::Outcome& outcome) {
  message.setWinner(outcome.winner);
  message.setReason(static_cast<EndReason>(outcome.reason));
}

void fill(Result::Builder message, const sim::Situation& situation, const sim::Outcome& outcome, sim::Seat seat) {
  const sim::Tank& tank = situation.tanks[seat];
  const sim::Tally& tally = tank.tally;
  message.setTeam(sim::team_of(seat));
  message.setKind(to_wire(tank.kind));
  message.setStanding(standing(sim::team_of(seat), outcome.winner));
  message.setReason(static_cast<EndReason>(outcome.reason));
  message.setSurvived(tank.alive());
  message.setShots(tally.shots);
  message.setHits(tally.hits);
  message.setPenetrations(tally.penetrations);
  message.setDamageDealt(tally.damage_dealt);
  message.setDamageReceived(tally.damage_received);
  message.setKills(tally.kills);
  message.setSpotted(tally.spotted);
  message.setCaptureTicks(tank.capture_ticks);
  message.setAliveTicks(tank.alive() ? situation.tick : tally.destroyed_at);
}

}  // namespace tanks
