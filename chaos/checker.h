// One that looks at a chaos run from outside, all the time, and says what does not hold. Each stands in a file of its own in checkers/; it
// shares no code with what it checks beyond what a client has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chaos/invariants.h"
#include "chaos/stage.h"
#include "chaos/told_death.h"

namespace arenad::chaos {

// A run at one moment.
struct Scene {
  Stage& stage;
  InvariantCounts& invariants;
  uint64_t now_ms = 0;  // since the run began
  // By arena: a fault that is not over may do something to it.
  std::vector<bool> concerned;
  // The same of arenad.
  bool arenad_concerned = false;
  // And of its database: what was durable may be so no more.
  bool database_concerned = false;

  void violated(Invariant invariant, size_t arena, std::string text) {
    invariants.violated({invariant, stage.arenas()[arena].name, std::move(text), now_ms});
  }
  void violated(Invariant invariant, std::string text) { invariants.violated({invariant, "", std::move(text), now_ms}); }
};

class Checker {
 public:
  Checker() = default;
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  virtual ~Checker() = default;

  // Every arena runs, every player is in its arena, nobody has said anything.
  virtual void begins(Scene&) {}
  // About every millisecond.
  virtual void looks(Scene&) {}
  // All faults are over, and all that was said has come back.
  virtual void at_rest(Scene&) {}
  // arenad and its keeper have ended in order; their folder is still there.
  virtual void all_has_ended(Scene&) {}
  // What it has measured, by name.
  [[nodiscard]] virtual std::map<std::string, double> figures() const { return {}; }
  // Reports of deaths that it has collected.
  [[nodiscard]] virtual std::vector<ToldDeath> deaths() const { return {}; }
};

std::vector<std::unique_ptr<Checker>> all_checkers();

}  // namespace arenad::chaos
