#include "battle_state.h"

#include <utility>

#include "wire.h"

namespace tanks {

namespace {

void save(const sim::Order& order, TankState::Builder state) {
  state.setThrottle(order.throttle_percent);
  state.setTurn(order.turn_percent);
  state.setTurretOrder(order.turret);
  state.setFire(order.fire);
}

sim::Order load_order(TankState::Reader state) {
  return {.throttle_percent = state.getThrottle(),
          .turn_percent = state.getTurn(),
          .turret = state.getTurretOrder(),
          .fire = state.getFire()};
}

void save(const sim::Tally& tally, TankState::Builder state) {
  state.setShots(tally.shots);
  state.setHits(tally.hits);
  state.setPenetrations(tally.penetrations);
  state.setDamageDealt(tally.damage_dealt);
  state.setDamageReceived(tally.damage_received);
  state.setKills(tally.kills);
  state.setSpotted(tally.spotted);
  state.setDestroyedAt(tally.destroyed_at);
}

sim::Tally load_tally(TankState::Reader state) {
  return {.shots = state.getShots(),
          .hits = state.getHits(),
          .penetrations = state.getPenetrations(),
          .damage_dealt = state.getDamageDealt(),
          .damage_received = state.getDamageReceived(),
          .kills = state.getKills(),
          .spotted = state.getSpotted(),
          .destroyed_at = state.getDestroyedAt()};
}

void save(const sim::Tank& tank, TankState::Builder state) {
  state.setKind(to_wire(tank.kind));
  state.setX(tank.position.x);
  state.setY(tank.position.y);
  state.setHull(tank.hull);
  state.setTurret(tank.turret);
  state.setSpeed(tank.speed_metres_per_second);
  state.setHitPoints(tank.hit_points);
  state.setReloadTicks(tank.reload_ticks);
  state.setConspicuousUntil(tank.conspicuous_until);
  state.setVisibleUntil(tank.visible_until);
  state.setDiscovered(tank.discovered);
  state.setCaptureTicks(tank.capture_ticks);
  save(tank.order, state);
  save(tank.tally, state);
}

sim::Tank load(TankState::Reader state) {
  return {.kind = from_wire(state.getKind()),
          .position = {state.getX(), state.getY()},
          .hull = state.getHull(),
          .turret = state.getTurret(),
          .speed_metres_per_second = state.getSpeed(),
          .hit_points = state.getHitPoints(),
          .reload_ticks = state.getReloadTicks(),
          .conspicuous_until = state.getConspicuousUntil(),
          .visible_until = state.getVisibleUntil(),
          .discovered = state.getDiscovered(),
          .capture_ticks = state.getCaptureTicks(),
          .order = load_order(state),
          .tally = load_tally(state)};
}

void save(const sim::Shell& shell, ShellState::Builder state) {
  state.setId(shell.id);
  state.setShooter(shell.shooter);
  state.setGunOf(to_wire(shell.gun_of));
  state.setX(shell.position.x);
  state.setY(shell.position.y);
  state.setHeading(shell.heading);
  state.setTicksLeft(shell.ticks_left);
  state.setSeenByEnemy(shell.seen_by_enemy);
}

sim::Shell load(ShellState::Reader state) {
  return {.id = state.getId(),
          .shooter = state.getShooter(),
          .gun_of = from_wire(state.getGunOf()),
          .position = {state.getX(), state.getY()},
          .heading = state.getHeading(),
          .ticks_left = state.getTicksLeft(),
          .seen_by_enemy = state.getSeenByEnemy()};
}

}  // namespace

void save(const sim::Situation& situation, BattleState::Builder state) {
  state.setTick(situation.tick);
  state.setEndTick(situation.end_tick);
  state.setRandom(situation.random.state);
  state.setNextShell(situation.next_shell_id);
  const auto& on_map = situation.map.obstacles();
  auto obstacles = state.initObstacles(static_cast<uint>(on_map.size()));
  for (uint i = 0; i < obstacles.size(); ++i) fill(obstacles[i], on_map[i]);
  auto tanks = state.initTanks(static_cast<uint>(situation.tanks.size()));
  for (uint i = 0; i < tanks.size(); ++i) save(situation.tanks[i], tanks[i]);
  auto shells = state.initShells(static_cast<uint>(situation.shells.size()));
  for (uint i = 0; i < shells.size(); ++i) save(situation.shells[i], shells[i]);
}

sim::Situation load(BattleState::Reader state) {
  sim::Situation situation;
  situation.tick = state.getTick();
  situation.end_tick = state.getEndTick();
  situation.random.state = state.getRandom();
  situation.next_shell_id = state.getNextShell();
  std::vector<sim::Obstacle> obstacles;
  for (const auto obstacle : state.getObstacles()) obstacles.push_back(from_wire(obstacle));
  situation.map = sim::Map(std::move(obstacles));
  for (const auto tank : state.getTanks()) situation.tanks.push_back(load(tank));
  for (const auto shell : state.getShells()) situation.shells.push_back(load(shell));
  return situation;
}

}  // namespace tanks
