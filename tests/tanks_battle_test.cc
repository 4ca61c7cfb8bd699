// The rules of the battle of tanks, one by one, on fields laid out for the purpose.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "examples/tanks/armour.h"
#include "examples/tanks/battle.h"
#include "examples/tanks/capture.h"
#include "examples/tanks/gunnery.h"
#include "examples/tanks/spotting.h"
#include "tests/tanks_fields.h"

namespace {

using namespace tanks::sim;
using Kind = Vehicle::Kind;

constexpr Order kFullAhead{.throttle_percent = 100};

// ---- orders and running ----------------------------------------------------------------------

Situation with_order(Situation situation, Seat seat, Order order) {
  situation.tanks[seat].order = order;
  return situation;
}

Situation firing(Situation situation, Seat seat) {
  situation.tanks[seat].order.fire = true;
  return situation;
}

template <class T>
void take_facts(std::span<const Fact> facts, std::vector<T>& taken) {
  for (const Fact& fact : facts) {
    if (const auto* wanted = std::get_if<T>(&fact)) taken.push_back(*wanted);
  }
}

// The facts of one sort that so many ticks gave.
template <class T>
std::vector<T> run(Battle& battle, Tick ticks) {
  std::vector<T> taken;
  for (Tick i = 0; i < ticks; ++i) take_facts(battle.tick(), taken);
  return taken;
}

void run(Battle& battle, Tick ticks) {
  run<Contact>(battle, ticks);
}

const Tank& tank_of(const Battle& battle, Seat seat) {
  return battle.situation().tanks[seat];
}

// What the first shell of seat 0 does.
Impact first_impact(Situation situation) {
  Battle battle(firing(std::move(situation), 0));
  const auto impacts = run<Impact>(battle, kTicksPerSecond);
  REQUIRE_FALSE(impacts.empty());
  return impacts.front();
}

bool sees(const Situation& situation, Seat spotter, Seat target) {
  return spots(situation, situation.tanks[spotter], situation.tanks[target]);
}

// ---- geometry and map ------------------------------------------------------------------------

TEST_CASE("direction agrees with libm for every angle") {
  double worst = 0;
  for (int angle = 0; angle < 65536; ++angle) {
    const Vec v = direction(static_cast<Angle>(angle));
    const double radians = angle * 3.14159265358979323846 / 32768;
    worst = std::max({worst, std::abs(v.x - std::cos(radians)), std::abs(v.y - std::sin(radians))});
  }
  CHECK(worst < 1e-11);
}

TEST_CASE("angles turn the shorter way round") {
  CHECK(turn_between(degrees(350), degrees(10)) > 0);
  CHECK(turn_between(degrees(10), degrees(350)) < 0);
  CHECK(turned_toward(65530, 10, 100) == 10);
  CHECK(turned_toward(65530, 10, 5) == 65535);
  CHECK(turned_toward(10, 65530, 5) == 5);
}

TEST_CASE("a way enters shapes where it first touches them") {
  CHECK(enter_circle({0, 0}, {10, 0}, {8, 0}, 2)->fraction == doctest::Approx(0.6));
  CHECK(enter_circle({0, 0}, {10, 0}, {1, 0}, 2)->fraction == 0);
  CHECK_FALSE(enter_circle({0, 0}, {10, 0}, {5, 3}, 2));
  CHECK_FALSE(enter_circle({0, 0}, {10, 0}, {14, 0}, 2));
  CHECK_FALSE(enter_circle({0, 0}, {10, 0}, {-4, 0}, 2));
  CHECK(enter_box({0, 0}, {10, 0}, {8, 0}, {2, 1})->fraction == doctest::Approx(0.6));
  CHECK(enter_box({8, -10}, {8, 0}, {8, 0}, {2, 1})->side == Entry::Side::y);
  CHECK_FALSE(enter_box({0, 2}, {10, 2}, {8, 0}, {2, 1}));
  CHECK_FALSE(enter_box({0, 0}, {5, 0}, {8, 0}, {2, 1}));
  CHECK_FALSE(enter_box({20, 0}, {30, 0}, {8, 0}, {2, 1}));
}

TEST_CASE("a map is the same for the same seed, fair, and free round the bases") {
  CHECK(Map::generate(5) == Map::generate(5));
  CHECK_FALSE(Map::generate(5) == Map::generate(6));
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Map map = Map::generate(seed);
    CHECK(map.obstacles().size() >= 30);
    CHECK(map.obstacles().size() <= kMaxObstacles);
    for (size_t i = 0; i < map.obstacles().size(); i += 2) {
      const Obstacle& obstacle = map.obstacles()[i];
      const Obstacle& opposite = map.obstacles()[i + 1];
      CHECK(obstacle.centre + opposite.centre == Vec{kMapSizeMetres, kMapSizeMetres});
      CHECK(obstacle.half == opposite.half);
      CHECK(obstacle.kind == opposite.kind);
    }
    for (const Vec base : kBases) CHECK(map.pushed_out(base, 80) == base);
  }
}

TEST_CASE("obstacles stop shells, tanks and eyes, each kind as it should") {
  const auto rock = Map({circle(Obstacle::Kind::rock, {50, 50}, 10)});
  const auto wood = Map({circle(Obstacle::Kind::wood, {50, 50}, 10)});
  const auto building = Map({{Obstacle::Kind::building, {50, 50}, {10, 5}}});
  for (const Map* solid : {&rock, &building}) {
    CHECK(*solid->first_solid({0, 50}, {100, 50}) == doctest::Approx(0.4));
    CHECK_FALSE(solid->sees({0, 50}, {100, 50}));
    CHECK(solid->pushed_out({39, 50}, 3) == Vec{37, 50});
  }
  CHECK(building.sees({0, 56}, {100, 56}));
  CHECK(building.pushed_out({51, 54}, 3) == Vec{51, 58});
  CHECK_FALSE(wood.first_solid({0, 50}, {100, 50}));
  CHECK(wood.pushed_out({50, 50}, 3) == Vec{50, 50});
  CHECK_FALSE(wood.sees({0, 50}, {100, 50}));
  CHECK_FALSE(wood.sees({0, 50}, {50, 50}));
  CHECK(wood.sees({50, 50}, {100, 50}));
}

// ---- driving ---------------------------------------------------------------------------------

TEST_CASE("a tank gathers speed up to its top speed, less astern, and brakes to a stand") {
  Battle battle(with_order(duel(Kind::medium, Kind::medium, 300), 0, kFullAhead));
  const Vehicle& spec = vehicle(Kind::medium);
  run(battle, 1);
  CHECK(tank_of(battle, 0).speed_metres_per_second == doctest::Approx(spec.acceleration * kTickSeconds));
  run(battle, 10 * kTicksPerSecond);
  CHECK(tank_of(battle, 0).speed_metres_per_second == doctest::Approx(spec.forward_metres_per_second));
  CHECK(tank_of(battle, 0).position.x > 490);
  CHECK(tank_of(battle, 0).position.y == doctest::Approx(400));
  battle.halt(0);
  run(battle, 3 * kTicksPerSecond);
  CHECK(tank_of(battle, 0).speed_metres_per_second == 0);
  battle.give(0, {.throttle_percent = -100});
  run(battle, 5 * kTicksPerSecond);
  CHECK(tank_of(battle, 0).speed_metres_per_second == doctest::Approx(-spec.reverse_metres_per_second));
}

TEST_CASE("hull and turret turn at their own rates, and the hull carries the turret") {
  const Vehicle& spec = vehicle(Kind::light);
  Battle battle(duel(Kind::light, Kind::medium, 300));
  battle.give(0, {.turn_percent = 100, .turret = kEast});
  run(battle, 1);
  CHECK(tank_of(battle, 0).hull == spec.hull_turn_per_tick);
  CHECK(tank_of(battle, 0).turret == spec.hull_turn_per_tick - spec.turret_turn_per_tick);
  battle.give(0, {.turret = kNorth});
  run(battle, 10);
  CHECK(tank_of(battle, 0).hull == spec.hull_turn_per_tick);
  CHECK(tank_of(battle, 0).turret == spec.hull_turn_per_tick + 9 * spec.turret_turn_per_tick);
  run(battle, 100);
  CHECK(tank_of(battle, 0).turret == kNorth);
}

TEST_CASE("orders beyond full are full") {
  Battle battle(duel(Kind::light, Kind::medium, 300));
  battle.give(0, {.throttle_percent = 127, .turn_percent = -128});
  CHECK(tank_of(battle, 0).order.throttle_percent == 100);
  CHECK(tank_of(battle, 0).order.turn_percent == -100);
  CHECK_THROWS_AS(battle.give(2, {}), std::out_of_range);
}

TEST_CASE("nothing is driven through") {
  SUBCASE("a rock, head-on") {
    const auto rock = circle(Obstacle::Kind::rock, {450, 400}, 10);
    Battle battle(with_order(duel(Kind::medium, Kind::medium, 300, {rock}), 0, kFullAhead));
    run(battle, 10 * kTicksPerSecond);
    CHECK(tank_of(battle, 0).position.x == doctest::Approx(440 - kTankRadiusMetres));
    CHECK(std::abs(tank_of(battle, 0).speed_metres_per_second) < 0.5);
  }
  SUBCASE("a building, along which it slides") {
    const Obstacle building{Obstacle::Kind::building, {450, 410}, {10, 8}};
    Battle battle(with_order(duel(Kind::medium, Kind::medium, 300, {building}), 0, kFullAhead));
    run(battle, 20 * kTicksPerSecond);
    CHECK(tank_of(battle, 0).position.x > 460);
  }
  SUBCASE("another tank, or its wreck") {
    for (const int hit_points : {100, 0}) {
      Situation situation = duel(Kind::medium, Kind::heavy, 30);
      situation.tanks[1].hit_points = hit_points;
      Battle battle(with_order(situation, 0, kFullAhead));
      run(battle, 5 * kTicksPerSecond);
      CHECK(tank_of(battle, 0).position.x == doctest::Approx(430 - 2 * kTankRadiusMetres));
      CHECK(tank_of(battle, 1).position.x == 430);
    }
  }
  SUBCASE("the edge of the map") {
    Battle battle(with_order(field({tank(Kind::light, {780, 400}, kEast), tank(Kind::light, {10, 10}, kEast)}), 0, kFullAhead));
    run(battle, 5 * kTicksPerSecond);
    CHECK(tank_of(battle, 0).position.x == kMapSizeMetres - kTankRadiusMetres);
  }
}

// ---- gunnery ---------------------------------------------------------------------------------

TEST_CASE("a shell flies for several ticks before it strikes") {
  Battle battle(firing(duel(Kind::light, Kind::heavy, 50), 0));
  const auto impact_after = [&] {
    for (Tick tick = 1; tick < 20; ++tick) {
      std::vector<Impact> impacts;
      take_facts(battle.tick(), impacts);
      if (!impacts.empty()) return tick;
      CHECK(battle.situation().shells.size() == 1);
    }
    return Tick{0};
  };
  // 50 metres less half a hull, at 16 metres a tick.
  CHECK(impact_after() == 3);
  CHECK(battle.situation().shells.empty());
  CHECK(tank_of(battle, 0).tally.shots == 1);
  CHECK(tank_of(battle, 0).tally.hits == 1);
}

TEST_CASE("a gun fires only when it is loaded") {
  Battle battle(firing(duel(Kind::heavy, Kind::heavy, 300), 0));
  const auto reload = static_cast<Tick>(vehicle(Kind::heavy).gun.reload_ticks);
  CHECK(run<ShotFired>(battle, 1).size() == 1);
  CHECK(run<ShotFired>(battle, reload - 1).empty());
  CHECK(run<ShotFired>(battle, 1).size() == 1);
  CHECK(run<ShotFired>(battle, 3 * reload).size() == 3);
}

TEST_CASE("a shell is spent at the end of its range") {
  Battle battle(firing(duel(Kind::light, Kind::heavy, 390), 0));
  CHECK(run<Impact>(battle, 30).empty());
  CHECK(battle.situation().shells.empty());
}

TEST_CASE("a rock or a building stops a shell") {
  const Impact impact = first_impact(duel(Kind::light, Kind::heavy, 100, {circle(Obstacle::Kind::rock, {450, 400}, 10)}));
  CHECK(impact.effect == Effect::obstacle);
  CHECK(impact.victim == kNobody);
  CHECK(impact.at.x == doctest::Approx(440).epsilon(0.01));
}

TEST_CASE("a moving tank shoots less precisely") {
  const auto widest = [](Order order) {
    Battle battle(with_order(duel(Kind::light, Kind::heavy, 390), 0, order));
    int most = 0;
    for (const ShotFired& shot : run<ShotFired>(battle, 100 * kTicksPerSecond)) {
      most = std::max(most, std::abs(turn_between(kEast, shot.heading)));
    }
    return most;
  };
  const int dispersion = vehicle(Kind::light).gun.dispersion;
  const int standing = widest({.fire = true});
  const int moving = widest({.throttle_percent = -100, .fire = true});
  CHECK(standing <= dispersion);
  CHECK(moving > dispersion);
  CHECK(moving <= kMovingDispersionFactor * dispersion);
}

TEST_CASE("a gun that is fired again and again grows hot where the rules have it so, and a hot gun is less precise") {
  const auto widest = [](Battle& battle) {
    int most = 0;
    for (const ShotFired& shot : run<ShotFired>(battle, 100 * kTicksPerSecond)) {
      most = std::max(most, std::abs(turn_between(kEast, shot.heading)));
    }
    return most;
  };
  const Situation range = firing(duel(Kind::light, Kind::heavy, 390), 0);
  const int dispersion = vehicle(Kind::light).gun.dispersion;
  Battle cold(range);
  CHECK(widest(cold) <= dispersion);
  CHECK(tank_of(cold, 0).gun_heat == 0);

  Battle hot(range, {.heat_of_a_shot = 60});
  run(hot, 1);
  CHECK(tank_of(hot, 0).gun_heat == 60);
  run(hot, 20);
  CHECK(tank_of(hot, 0).gun_heat == 40);
  const int most = widest(hot);
  CHECK(most > dispersion);
  CHECK(most <= dispersion * (1 + kHottest / kHeatThatDoublesDispersion));
  CHECK(tank_of(hot, 0).gun_heat > kHottest - 60);
  CHECK(tank_of(hot, 0).gun_heat <= kHottest);
  CHECK(tank_of(hot, 1).gun_heat == 0);

  hot.halt(0);
  run(hot, kHottest);
  CHECK(tank_of(hot, 0).gun_heat == 0);
}

TEST_CASE("armour is struck by facing and angle") {
  const auto strike_from = [](double at_degrees) {
    const Vec from = direction(degrees(at_degrees)) * 50;
    return *strike_hull(from, {}, {}, kEast);
  };
  const Armour& armour = vehicle(Kind::heavy).armour;
  CHECK(strike_from(0).facing == Facing::front);
  CHECK(strike_from(180).facing == Facing::rear);
  CHECK(strike_from(90).facing == Facing::side);
  CHECK(strike_from(270).facing == Facing::side);
  CHECK(effective_armour_mm(armour, strike_from(0)) == doctest::Approx(armour.front_mm));
  CHECK(effective_armour_mm(armour, strike_from(90)) == doctest::Approx(armour.side_mm));
  CHECK(effective_armour_mm(armour, strike_from(180)) == doctest::Approx(armour.rear_mm));
  CHECK(effective_armour_mm(armour, strike_from(20)) ==
        doctest::Approx(armour.front_mm / std::cos(20 * 3.14159265 / 180)).epsilon(0.001));
  CHECK_FALSE(strike_hull({-50, 2}, {50, 2}, {}, kEast));
  CHECK(strike_hull({-50, 2}, {50, 2}, {}, kNorth));
}

TEST_CASE("a shell pierces, is stopped or glances off") {
  const Armour armour{.front_mm = 100, .side_mm = 50, .rear_mm = 20};
  const Strike head_on{.fraction = 0, .facing = Facing::front, .cosine = 1};
  CHECK(judge(armour, head_on, 100) == Effect::penetration);
  CHECK(judge(armour, head_on, 99) == Effect::no_penetration);
  const auto side_at = [](double degrees_off) { return Strike{0, Facing::side, std::cos(degrees_off * 3.14159265 / 180)}; };
  CHECK(judge(armour, side_at(59), 100) == Effect::penetration);
  CHECK(judge(armour, side_at(61), 100) == Effect::no_penetration);
  CHECK(judge(armour, side_at(69), 1000) == Effect::penetration);
  CHECK(judge(armour, side_at(71), 1000) == Effect::ricochet);
}

TEST_CASE("a light gun never pierces a heavy front, and always its rear") {
  CHECK(first_impact(duel(Kind::light, Kind::heavy, 50)).effect == Effect::no_penetration);
  Situation from_behind = duel(Kind::light, Kind::heavy, 50);
  from_behind.tanks[1].hull = kEast;
  const Impact impact = first_impact(from_behind);
  CHECK(impact.effect == Effect::penetration);
  CHECK(impact.facing == Facing::rear);
  CHECK(impact.damage > 0);
}

TEST_CASE("damage adds up until the tank is destroyed, and the wreck stays in the way") {
  Battle battle(firing(duel(Kind::heavy, Kind::light, 50), 0));
  const auto destroyed = run<Destroyed>(battle, 120 * kTicksPerSecond);
  REQUIRE(destroyed.size() == 1);
  CHECK(destroyed[0].seat == 1);
  CHECK(destroyed[0].by == 0);
  const Tally& winner = tank_of(battle, 0).tally;
  const Tally& loser = tank_of(battle, 1).tally;
  CHECK(winner.kills == 1);
  CHECK(winner.damage_dealt == static_cast<uint32_t>(vehicle(Kind::light).hit_points));
  CHECK(loser.damage_received == winner.damage_dealt);
  CHECK(loser.destroyed_at > 0);
  CHECK(winner.shots >= winner.hits);
  CHECK(winner.hits >= winner.penetrations);
  CHECK(battle.outcome() == Outcome{.winner = 0, .reason = Outcome::Reason::destroyed});

  const uint32_t hits = winner.hits;
  const auto later = run<Impact>(battle, 10 * kTicksPerSecond);
  REQUIRE_FALSE(later.empty());
  CHECK(later.front().effect == Effect::blocked);
  CHECK(tank_of(battle, 0).tally.hits == hits);
}

TEST_CASE("a wreck neither drives nor fires") {
  Situation situation = duel(Kind::heavy, Kind::light, 50);
  situation.tanks[0].hit_points = 0;
  Battle battle(with_order(situation, 0, {.throttle_percent = 100, .fire = true}));
  CHECK(run<ShotFired>(battle, 100).empty());
  CHECK(tank_of(battle, 0).position == Vec{400, 400});
}

TEST_CASE("a friend stops a shell unharmed") {
  Situation situation =
      field({tank(Kind::heavy, {400, 400}, kEast), tank(Kind::light, {500, 400}, kWest), tank(Kind::light, {450, 400}, kEast)});
  const Impact impact = first_impact(situation);
  CHECK(impact.effect == Effect::blocked);
  CHECK(impact.victim == 2);
  CHECK(impact.damage == 0);
}

// ---- spotting --------------------------------------------------------------------------------

TEST_CASE("a tank is spotted within view range and line of sight only") {
  const double view = vehicle(Kind::light).view_metres;
  const auto rock = circle(Obstacle::Kind::rock, {450, 400}, 5);
  const auto moving_at = [](double metres, std::vector<Obstacle> obstacles = {}) {
    Situation situation = duel(Kind::light, Kind::heavy, metres, std::move(obstacles));
    situation.tanks[1].speed_metres_per_second = 1;
    return situation;
  };
  CHECK(sees(moving_at(view - 1), 0, 1));
  CHECK_FALSE(sees(moving_at(view + 1), 0, 1));
  CHECK_FALSE(sees(moving_at(view - 1, {rock}), 0, 1));
  SUBCASE("very near it is noticed through anything") {
    CHECK(sees(moving_at(kNoticedMetres - 1, {circle(Obstacle::Kind::wood, {420, 400}, 5)}), 0, 1));
  }
}

TEST_CASE("who stands still is harder to spot, until he fires") {
  const double view = vehicle(Kind::light).view_metres;
  const double hidden = view * vehicle(Kind::heavy).concealment;
  CHECK(sees(duel(Kind::light, Kind::heavy, hidden - 1), 0, 1));
  CHECK_FALSE(sees(duel(Kind::light, Kind::heavy, hidden + 1), 0, 1));
  Battle battle(firing(duel(Kind::light, Kind::heavy, hidden + 1), 1));
  run(battle, 1);
  CHECK(sees(battle.situation(), 0, 1));
}

TEST_CASE("a wood hides, and one looks out of it") {
  const auto wood = circle(Obstacle::Kind::wood, {500, 400}, 12);
  const Situation situation = duel(Kind::light, Kind::light, 100, {wood});
  CHECK_FALSE(sees(situation, 0, 1));
  CHECK(sees(situation, 1, 0));
}

TEST_CASE("a team sees an enemy for a while after it lost sight of him") {
  Battle battle(duel(Kind::light, Kind::heavy, 100));
  const auto found = run<Contact>(battle, kSpottingTicks);
  REQUIRE(found.size() == 2);
  for (const Contact& contact : found) CHECK(contact.spotter == 1 - contact.seat);
  CHECK(visible_to_enemy(battle.situation(), 1));
  CHECK(tank_of(battle, 0).tally.spotted == 1);

  Situation far_apart = battle.situation();
  far_apart.tanks[1].position = {790, 790};
  Battle later(far_apart);
  CHECK(run<Contact>(later, kVisibleTicks - kSpottingTicks - 1).empty());
  const auto lost = run<Contact>(later, kSpottingTicks + 1);
  REQUIRE(lost.size() == 2);
  for (const Contact& contact : lost) CHECK(contact.spotter == kNobody);
  CHECK_FALSE(visible_to_enemy(later.situation(), 1));
  SUBCASE("and being found again is no new discovery") {
    far_apart = later.situation();
    far_apart.tanks[1].position = {500, 400};
    Battle again(far_apart);
    CHECK(run<Contact>(again, kSpottingTicks).size() == 2);
    CHECK(tank_of(again, 0).tally.spotted == 1);
  }
}

// ---- capture ---------------------------------------------------------------------------------

// So many tanks of team 1 in the base of team 0; the others far away.
Situation invasion(size_t invaders, Vec defender) {
  std::vector<Tank> tanks;
  for (size_t i = 0; i < 5; ++i) {
    const double offset = 8.0 * static_cast<double>(i);
    tanks.push_back(tank(Kind::heavy, i == 0 ? defender : Vec{700, 100 + offset}, kEast));
    const Vec inside = kBases[0] + Vec{0, offset - 16};
    tanks.push_back(tank(Kind::heavy, i < invaders ? inside : Vec{700, 700 + offset}, kNorth));
  }
  return field(std::move(tanks));
}

constexpr Vec kFarAway = {700, 50};

TEST_CASE("a base is captured by its enemies alone, three of them at most") {
  for (const auto& [invaders, rate] : {std::pair{0u, 0u}, {1u, 1u}, {3u, 3u}, {5u, 3u}}) {
    Battle battle(invasion(invaders, kFarAway));
    run(battle, 100);
    CHECK(captured_ticks(battle.situation(), 0) == 100 * rate);
    CHECK(captured_ticks(battle.situation(), 1) == 0);
  }
}

TEST_CASE("a defender in the base holds the capture where it is") {
  Battle alone(invasion(2, kFarAway));
  run(alone, 100);
  Situation contested = alone.situation();
  contested.tanks[0].position = kBases[0] + Vec{20, 0};
  Battle battle(contested);
  const auto progress = run<CaptureProgress>(battle, kTicksPerSecond);
  REQUIRE(progress.size() == 1);
  CHECK(progress[0].contested);
  CHECK(progress[0].invaders == 2);
  CHECK(captured_ticks(battle.situation(), 0) == 200);
}

TEST_CASE("a capturer loses what it earned by leaving or by damage") {
  Battle before(invasion(2, kFarAway));
  run(before, 100);
  SUBCASE("leaving") {
    Situation situation = before.situation();
    situation.tanks[1].position = kFarAway + Vec{50, 0};
    Battle battle(situation);
    run(battle, 1);
    CHECK(captured_ticks(battle.situation(), 0) == 101);
  }
  SUBCASE("damage") {
    Situation situation = before.situation();
    situation.tanks[0] = tank(Kind::heavy, kBases[0] + Vec{100, -16}, kWest);
    Battle battle(firing(situation, 0));
    CHECK_FALSE(run<Impact>(battle, 10).empty());
    CHECK(tank_of(battle, 1).capture_ticks < 10);
    CHECK(tank_of(battle, 3).capture_ticks == 110);
  }
}

TEST_CASE("a captured base ends the battle") {
  Battle battle(invasion(3, kFarAway));
  run(battle, kCapturedTicks / 3 - 1);
  CHECK_FALSE(battle.outcome());
  run(battle, 1);
  CHECK(battle.outcome() == Outcome{.winner = 1, .reason = Outcome::Reason::captured});
}

// ---- start and end ---------------------------------------------------------------------------

TEST_CASE("a battle begins with two equal teams, on free ground, out of each other's sight") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Battle battle(Setup{.seed = seed});
    const Situation& situation = battle.situation();
    REQUIRE(situation.tanks.size() == kMaxTanks);
    for (Seat seat = 0; seat < kMaxTanks; seat += 2) {
      const Tank& west = situation.tanks[seat];
      const Tank& east = situation.tanks[seat + 1];
      CHECK(west.kind == east.kind);
      CHECK(west.position + east.position == Vec{kMapSizeMetres, kMapSizeMetres});
      CHECK(situation.map.pushed_out(west.position, kTankRadiusMetres) == west.position);
      CHECK_FALSE(sees(situation, seat, seat + 1));
    }
  }
}

TEST_CASE("a battle may be smaller, but not empty") {
  CHECK(Battle(Setup{.players = 2}).situation().tanks.size() == 2);
  CHECK_THROWS_AS(Battle(Setup{.players = 1}), std::invalid_argument);
  CHECK_THROWS_AS(Battle(Setup{.players = kMaxTanks + 1}), std::invalid_argument);
}

TEST_CASE("time over: more tanks win, then more damage, else it is a draw") {
  Situation situation = duel(Kind::heavy, Kind::heavy, 300);
  situation.end_tick = 10;
  const auto end = [](Situation from) {
    Battle battle(std::move(from));
    run(battle, 9);
    CHECK_FALSE(battle.outcome());
    run(battle, 1);
    REQUIRE(battle.outcome());
    CHECK(battle.outcome()->reason == Outcome::Reason::time_over);
    return battle.outcome()->winner;
  };
  CHECK(end(situation) == kNoTeam);
  situation.tanks[0].tally.damage_dealt = 1;
  CHECK(end(situation) == 0);
  situation.tanks.push_back(tank(Kind::heavy, {100, 100}, kEast));
  situation.tanks.push_back(tank(Kind::heavy, {700, 700}, kEast));
  situation.tanks[2].hit_points = 0;
  CHECK(end(situation) == 1);
}

TEST_CASE("the end may be brought forward, not put off") {
  Battle battle(Setup{.seconds = 10});
  battle.end_by(10'000);
  CHECK(battle.situation().end_tick == 200);
  battle.end_by(1);
  run(battle, 1);
  CHECK(battle.outcome());
}

TEST_CASE("both teams destroyed in one tick is a draw") {
  Situation situation = duel(Kind::heavy, Kind::heavy, 30);
  for (Tank& each : situation.tanks) each.hit_points = 1;
  for (Tank& each : situation.tanks) each.kind = Kind::light;
  Battle battle(firing(firing(situation, 0), 1));
  while (!battle.outcome()) battle.tick();
  CHECK(battle.outcome() == Outcome{.winner = kNoTeam, .reason = Outcome::Reason::destroyed});
}

}  // namespace
