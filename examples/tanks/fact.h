// What happened in a tick, in its order. The rules report facts; who may learn of them is decided
// by tanks_game.cc.
#pragma once

#include <variant>
#include <vector>

#include "situation.h"

namespace tanks::sim {

struct ShotFired {
  uint32_t shell;
  Seat shooter;
  Vec from;
  Angle heading;
  bool seen_by_enemy;
};

enum class Facing : uint8_t { front, side, rear };

enum class Effect : uint8_t {
  obstacle,        // a rock or a building
  blocked,         // a friend or a wreck, unharmed
  ricochet,        // glanced off the armour
  no_penetration,  // stopped by the armour
  penetration,
};

struct Impact {
  uint32_t shell;
  Seat shooter;
  bool shot_seen_by_enemy;
  Vec at;
  Angle heading;
  Effect effect;
  Seat victim;    // kNobody: an obstacle
  Facing facing;  // of the victim
  uint32_t damage;
};

struct Destroyed {
  Seat seat;
  Seat by;
};

// The other team of `seat` begins or ceases to see it.
struct Contact {
  Seat seat;
  Seat spotter;  // kNobody when it is lost
};

struct CaptureProgress {
  Team owner;
  uint32_t ticks;
  uint32_t invaders;
  bool contested;  // a defender stands in it
};

using Fact = std::variant<ShotFired, Impact, Destroyed, Contact, CaptureProgress>;
using Facts = std::vector<Fact>;

}  // namespace tanks::sim
