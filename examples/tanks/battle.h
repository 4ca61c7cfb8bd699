// A battle of two teams: the rules in their order, tick by tick, until it is decided.
//
// A tick: tanks drive, guns fire, shells fly, tanks are spotted, bases are captured. Everyone fires
// before any shell strikes, so that no seat gains from its number.
//
// Nothing here knows Arenad or Cap'n Proto. A battle is a pure function of its situation and the
// orders; it takes its dice from the situation.
#pragma once

#include <optional>
#include <span>

#include "fact.h"
#include "rules.h"
#include "situation.h"

namespace tanks::sim {

struct Setup {
  uint64_t seed = 0;  // of the map and of the dice
  uint32_t seconds = 300;
  size_t players = kMaxTanks;  // 2 to kMaxTanks
};

struct Outcome {
  enum class Reason : uint8_t { destroyed, captured, time_over };

  Team winner = kNoTeam;  // kNoTeam: a draw
  Reason reason = Reason::time_over;

  bool operator==(const Outcome&) const = default;
};

class Battle {
 public:
  Battle() = default;
  explicit Battle(const Setup& setup, const Rules& rules = {});
  // Goes on from there. Throws std::invalid_argument if no battle can be in that situation.
  explicit Battle(Situation situation, const Rules& rules = {});

  // Values beyond 100 per cent count as 100; orders to wrecks do nothing.
  void give(Seat seat, const Order& order);
  // The tank stops, and holds its gun where it points.
  void halt(Seat seat);
  // The battle is over at this tick at the latest.
  void end_by(Tick tick);

  // What happened; valid until the next tick.
  std::span<const Fact> tick();

  // Nothing while the battle goes on.
  [[nodiscard]] std::optional<Outcome> outcome() const;
  [[nodiscard]] const Situation& situation() const { return situation_; }

 private:
  Situation situation_;
  Rules rules_;
  Facts facts_;  // of the tick that runs; kept for its memory only
};

}  // namespace tanks::sim
