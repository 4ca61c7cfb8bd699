#include "bot_driver.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "bearing.h"

namespace tanks {

namespace {

constexpr std::array kLookAheadMetres = {7.0, 14.0, 22.0, 30.0};
constexpr int kAllFree = kLookAheadMetres.size();
constexpr double kClearanceMetres = 5;
constexpr double kOtherTankMetres = 8;
// Longer than a heavy tank needs to brake and to gather way.
constexpr sim::Tick kStuckTicks = 60;
constexpr sim::Tick kReverseTicks = 30;
constexpr double kStuckMetres = 2;
constexpr int kStraight = sim::degrees(35);
constexpr int kRoughlyAhead = sim::degrees(75);

bool is_free(const BotMemory& memory, sim::Vec place) {
  if (memory.map().pushed_out(place, kClearanceMetres) != place) return false;
  for (sim::Seat seat = 0; seat < memory.seat_count(); ++seat) {
    const KnownTank& tank = memory.tanks()[seat];
    const bool there = tank.fate == KnownTank::Fate::wreck || memory.in_sight(seat);
    if (seat != memory.seat() && there && within(place, tank.position, kOtherTankMetres)) {
      return false;
    }
  }
  return true;
}

// How many of the places ahead are free until the first that is not.
int free_steps(const BotMemory& memory, sim::Angle heading, double goal_metres) {
  const sim::Vec ahead = sim::direction(heading);
  int steps = 0;
  for (const double metres : kLookAheadMetres) {
    // What lies behind the goal is in nobody's way.
    if (metres <= goal_metres && !is_free(memory, memory.me().position + ahead * metres)) break;
    ++steps;
  }
  return steps;
}

int8_t turn_toward(const KnownTank& me, sim::Angle heading) {
  const int turn = sim::turn_between(me.hull, heading);
  return static_cast<int8_t>(std::clamp(100 * turn / sim::vehicle(me.kind).hull_turn_per_tick, -100, 100));
}

}  // namespace

void BotDriver::choose_heading(const BotMemory& memory, sim::Vec goal) {
  const sim::Vec place = memory.me().position;
  const sim::Angle straight = bearing(place, goal);
  const double metres = sim::length(goal - place);
  int most_free = -1;
  for (int step = 0; step <= 10; ++step) {
    for (const int side : {side_, -side_}) {
      const auto heading = static_cast<sim::Angle>(straight + side * step * sim::degrees(14));
      const int free = free_steps(memory, heading, metres);
      if (free <= most_free) continue;
      most_free = free;
      heading_ = heading;
      if (step > 0) side_ = side;
      if (free == kAllFree) return;
    }
  }
}

Controls BotDriver::go(const BotMemory& memory) {
  if (memory.now() < reverse_until_) {
    watch_from_here(memory);
    return {-100, static_cast<int8_t>(side_ * 60)};
  }
  const KnownTank& me = memory.me();
  const int off = std::abs(sim::turn_between(me.hull, heading_));
  if (off < kStraight) {
    notice_if_stuck(memory);
  } else {
    watch_from_here(memory);
  }
  const int throttle = off < kStraight ? 100 : off < kRoughlyAhead ? 40 : 0;
  return {static_cast<int8_t>(throttle), turn_toward(me, heading_)};
}

Controls BotDriver::face(const BotMemory& memory, sim::Angle heading) {
  watch_from_here(memory);
  return {0, turn_toward(memory.me(), heading)};
}

Controls BotDriver::back_away(const BotMemory& memory, sim::Angle from) {
  watch_from_here(memory);
  const int off = std::abs(sim::turn_between(memory.me().hull, from));
  return {static_cast<int8_t>(off < kRoughlyAhead ? -100 : 0), turn_toward(memory.me(), from)};
}

void BotDriver::watch_from_here(const BotMemory& memory) {
  watched_from_ = memory.me().position;
  stuck_at_ = memory.now() + kStuckTicks;
}

void BotDriver::notice_if_stuck(const BotMemory& memory) {
  if (!within(memory.me().position, watched_from_, kStuckMetres)) {
    watch_from_here(memory);
  } else if (memory.now() >= stuck_at_) {
    reverse_until_ = memory.now() + kReverseTicks;
    side_ = -side_;
  }
}

}  // namespace tanks
