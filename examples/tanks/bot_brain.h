// A player that is a program. It hears what a client of its seat receives, and says what its tank
// shall do. The same seed and the same outputs give the same orders.
//
//     BotBrain brain(seed);
//     for each output: brain.hear(type, message.getRoot<capnp::AnyPointer>());
//     after each TeamView: send brain.decide(), if it is not what was sent last
//
// Its plan, in order of urgency: save the own base, fight what it sees (from where its gun can
// pierce), hunt what it saw, take the enemy's base along a lane of its own.
#pragma once

#include <cstdint>
#include <optional>

#include <capnp/any.h>

#include "bot_driver.h"
#include "bot_gunner.h"
#include "bot_memory.h"
#include "random.h"
#include "situation.h"

namespace tanks {

class BotBrain {
 public:
  explicit BotBrain(uint64_t seed);

  // One output, by its Cap'n Proto type id; those that it has no use for are passed over. Throws if it is not valid.
  void hear(uint64_t type, capnp::AnyPointer::Reader message);

  // For the newest view. An empty order while there is no tank to command.
  sim::Order decide();

  [[nodiscard]] const BotMemory& memory() const { return memory_; }

 private:
  [[nodiscard]] bool time_to_think() const;
  [[nodiscard]] bool should_defend() const;
  [[nodiscard]] sim::Vec choose_goal(const Aim& aim) const;
  [[nodiscard]] sim::Vec place_to_fight(const Aim& aim) const;
  [[nodiscard]] std::optional<sim::Vec> place_to_hunt() const;
  [[nodiscard]] sim::Vec way_to_enemy_base() const;
  Controls drive(const Aim& aim);
  [[nodiscard]] sim::Angle look_out() const;

  BotMemory memory_;
  BotGunner gunner_;
  BotDriver driver_;
  sim::Vec goal_;
  // What makes one bot unlike another.
  bool raider_;         // goes round the edge for the base, and fires on the way
  double lane_metres_;  // where it crosses the middle of the map
  double closeness_;    // of the distance from which it likes to fight
  int slant_;           // which way it angles its armour: 1 or -1
  sim::Tick think_phase_;
};

}  // namespace tanks
