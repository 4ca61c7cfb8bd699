// What must hold in every chaos run, and how often it was looked at. A violation is what a run exists to find; an invariant that was never
// looked at has not been shown.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace arenad::chaos {

enum class Invariant {
  state,      // every frame's digest is that of an independent model
  lost,       // what was said comes back
  outputs,    // their sequence has no gap and no repeat, and one player's entries keep their order
  results,    // stored exactly once, as the model has them
  isolation,  // nothing ends that no fault may end, and an arena never has two workers
  arenad,     // arenad ends only where a fault may end it, and answers
  recovery,   // what a fault has taken is back in bounded time
  times,      // arenad tells of each death what took how long, and that can be true
  status,     // arenad says of an arena what is true
  resources,  // arenad has no more descriptors, mappings and threads than before
  litter,     // no process and no file is left
  database,   // it is whole
  fired,      // each fault did what it says: a run whose faults do nothing shows nothing
};
constexpr size_t kInvariants = static_cast<size_t>(Invariant::fired) + 1;
const char* name_of(Invariant invariant);
// As a sentence.
const char* meaning_of(Invariant invariant);

struct Violation {
  Invariant invariant;
  std::string arena;  // empty: of none
  std::string text;
  uint64_t at_ms = 0;  // since the run began
};

class InvariantCounts {
 public:
  void holds(Invariant invariant, uint64_t times = 1) { looked_at_[static_cast<size_t>(invariant)] += times; }
  void violated(Violation violation);

  [[nodiscard]] uint64_t looked_at(Invariant invariant) const { return looked_at_[static_cast<size_t>(invariant)]; }
  [[nodiscard]] uint64_t violations(Invariant invariant) const { return violated_[static_cast<size_t>(invariant)]; }
  [[nodiscard]] uint64_t violations() const;
  // The first so many of each.
  [[nodiscard]] const std::vector<Violation>& kept() const { return kept_; }

 private:
  std::array<uint64_t, kInvariants> looked_at_{};
  std::array<uint64_t, kInvariants> violated_{};
  std::vector<Violation> kept_;
};

}  // namespace arenad::chaos
