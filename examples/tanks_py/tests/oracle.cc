// Plays a battle of examples/tanks with the drills of drill.py, and prints what battle_text.py tells of it: the
// golden digests in test_battle.py are measured from this program, not from the port. From the root of the tree:
//
//   g++ -std=c++20 -O2 -ffp-contract=off -I . examples/tanks_py/tests/oracle.cc
//     examples/tanks/{geometry,map,vehicle,driving,armour,gunnery,spotting,capture,battle}.cc -o oracle
//   ./oracle SEED PLAYERS SECONDS DRILL | sha256sum
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <variant>

#include "examples/tanks/battle.h"

namespace {

using namespace tanks::sim;

// ---- the drills (drill.py says what they are) ----------------------------------------------------

// By halving, since the simulation's vectors are the only trigonometry that is the same everywhere.
Angle bearing(Vec from, Vec to) {
  const Vec way = to - from;
  int angle = cross(direction(0), way) >= 0 ? 0 : 32768;
  for (int step = 16384; step > 0; step /= 2) {
    if (cross(direction(static_cast<Angle>(angle + step)), way) >= 0) angle += step;
  }
  return static_cast<Angle>(angle);
}

class Drill {
 public:
  Drill(std::string_view name, uint64_t seed) : name_(name), dice_{seed ^ 0x5DEECE66D} {}

  void give_orders(Battle& battle) {
    const Situation& situation = battle.situation();
    for (Seat seat = 0; seat < situation.seat_count(); ++seat) {
      if ((situation.tick + seat) % 8 != 0 || !situation.tanks[seat].alive()) continue;
      if (name_ == "madness") {
        battle.give(seat, wild_order());
        continue;
      }
      const int luck = dice_.between(0, 99);
      if (luck == 0) {
        battle.halt(seat);
      } else if (luck < 4) {
        battle.give(seat, wild_order());
      } else {
        battle.give(seat, order(situation, seat));
      }
    }
    if (name_ == "truce" && situation.tick == 600) battle.end_by(900);
  }

 private:
  Order wild_order() {
    Order order;
    order.throttle_percent = static_cast<int8_t>(dice_.between(-128, 127));
    order.turn_percent = static_cast<int8_t>(dice_.between(-128, 127));
    order.turret = static_cast<Angle>(dice_.between(0, 65535));
    order.fire = dice_.between(0, 1) == 1;
    return order;
  }

  Order order(const Situation& situation, Seat seat) const {
    const Tank& tank = situation.tanks[seat];
    const auto enemy = nearest_enemy(situation, seat);
    const bool fights = name_ == "battle" || name_ == "hunt";
    const Vec goal = fights && enemy ? *enemy : way_to_base(tank, seat);
    const int turn = turn_between(tank.hull, bearing(tank.position, goal));
    Order order;
    const bool there = fights ? within(tank.position, goal, 70) : within(tank.position, base_to_take(seat), 20);
    order.throttle_percent = there ? 0 : std::abs(turn) < 8192 ? 100 : 30;
    order.turn_percent = static_cast<int8_t>(std::clamp(turn / 4, -100, 100));
    order.turret = tank.turret;
    if (fights && enemy) {
      order.turret = bearing(tank.position, *enemy);
      order.fire = (name_ == "battle" || team_of(seat) == 0) && within(tank.position, *enemy, 330);
    }
    return order;
  }

  static Vec base_to_take(Seat seat) { return kBases[enemy_of(team_of(seat))]; }

  static Vec way_to_base(const Tank& tank, Seat seat) {
    const Vec base = base_to_take(seat);
    const double lane = 150 + 30.0 * (seat / 2);
    return std::abs(tank.position.x - base.x) > 290 ? Vec{400, lane} : base;
  }

  static std::optional<Vec> nearest_enemy(const Situation& situation, Seat seat) {
    const Vec here = situation.tanks[seat].position;
    std::optional<Vec> nearest;
    for (Seat other = enemy_of(team_of(seat)); other < situation.seat_count(); other += 2) {
      const Tank& tank = situation.tanks[other];
      if (!tank.alive()) continue;
      if (!nearest || length_squared(tank.position - here) < length_squared(*nearest - here)) nearest = tank.position;
    }
    return nearest;
  }

  std::string_view name_;
  Random dice_;
};

// ---- the trace -----------------------------------------------------------------------------------

uint64_t bits(double value) {
  uint64_t word;
  std::memcpy(&word, &value, sizeof word);
  return word;
}

void print(const ShotFired& fact) {
  std::printf("fired %u %d %016" PRIx64 " %016" PRIx64 " %d %d\n", fact.shell, fact.shooter, bits(fact.from.x),
              bits(fact.from.y), fact.heading, fact.seen_by_enemy);
}

void print(const Impact& fact) {
  std::printf("impact %u %d %d %016" PRIx64 " %016" PRIx64 " %d %d %d %d %u\n", fact.shell, fact.shooter,
              fact.shot_seen_by_enemy, bits(fact.at.x), bits(fact.at.y), fact.heading, static_cast<int>(fact.effect),
              fact.victim, static_cast<int>(fact.facing), fact.damage);
}

void print(const Destroyed& fact) {
  std::printf("destroyed %d %d\n", fact.seat, fact.by);
}

void print(const Contact& fact) {
  std::printf("contact %d %d\n", fact.seat, fact.spotter);
}

void print(const CaptureProgress& fact) {
  std::printf("capture %d %u %u %d\n", fact.owner, fact.ticks, fact.invaders, fact.contested);
}

void print(const Tank& tank) {
  const Tally& tally = tank.tally;
  std::printf("tank %d %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %d %d %d %d %u %u %d %u", static_cast<int>(tank.kind),
              bits(tank.position.x), bits(tank.position.y), bits(tank.speed_metres_per_second), tank.hull, tank.turret,
              tank.hit_points, tank.reload_ticks, tank.conspicuous_until, tank.visible_until, tank.discovered,
              tank.capture_ticks);
  std::printf(" %d %d %d %d", tank.order.throttle_percent, tank.order.turn_percent, tank.order.turret, tank.order.fire);
  std::printf(" %u %u %u %u %u %u %u %u\n", tally.shots, tally.hits, tally.penetrations, tally.damage_dealt,
              tally.damage_received, tally.kills, tally.spotted, tally.destroyed_at);
}

void print(const Shell& shell) {
  std::printf("shell %u %d %d %016" PRIx64 " %016" PRIx64 " %d %d %d\n", shell.id, shell.shooter,
              static_cast<int>(shell.gun_of), bits(shell.position.x), bits(shell.position.y), shell.heading, shell.ticks_left,
              shell.seen_by_enemy);
}

void print_map(const Map& map) {
  for (const Obstacle& obstacle : map.obstacles()) {
    std::printf("obstacle %d %g %g %g %g\n", static_cast<int>(obstacle.kind), obstacle.centre.x, obstacle.centre.y,
                obstacle.half.x, obstacle.half.y);
  }
}

void print(const Situation& situation) {
  std::printf("tick %u %u %" PRIu64 " %u\n", situation.tick, situation.end_tick, situation.random.state,
              situation.next_shell_id);
  for (const Tank& tank : situation.tanks) print(tank);
  for (const Shell& shell : situation.shells) print(shell);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const Setup setup{.seed = std::strtoull(argv[1], nullptr, 10),
                    .seconds = static_cast<uint32_t>(std::atoi(argv[3])),
                    .players = static_cast<size_t>(std::atoi(argv[2]))};
  Battle battle(setup);
  Drill drill(argv[4], setup.seed);
  print_map(battle.situation().map);
  print(battle.situation());
  while (!battle.outcome()) {
    drill.give_orders(battle);
    for (const Fact& fact : battle.tick()) std::visit([](const auto& happened) { print(happened); }, fact);
    print(battle.situation());
  }
  std::printf("outcome %d %d\n", battle.outcome()->winner, static_cast<int>(battle.outcome()->reason));
}
