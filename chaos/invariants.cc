#include "chaos/invariants.h"

#include <numeric>
#include <utility>

namespace arenad::chaos {
namespace {

constexpr uint64_t kKeptOfEach = 20;

struct Words {
  const char* name;
  const char* meaning;
};
constexpr std::array<Words, kInvariants> kWords{{
    {"state", "after every frame the state is that of an independent model of the game"},
    {"lost", "every entry that was accepted is applied and comes back"},
    {"outputs", "outputs come without a gap or a repeat, and a player's entries in their order"},
    {"results", "every result is stored once, as the model has it"},
    {"isolation", "no worker ends but those that a fault may end, and no arena ever has two"},
    {"arenad", "arenad ends only where a fault may end it"},
    {"recovery", "what a fault has taken is back in bounded time"},
    {"times", "the parts of a recovery are the whole, agree with what was seen from outside, and are within their budgets"},
    {"status", "arenad says of an arena what is true"},
    {"resources", "arenad has no more descriptors, mappings and threads than before"},
    {"litter", "no process and no file is left behind"},
    {"database", "the database is whole"},
    {"fired", "every fault does what it says"},
}};

}  // namespace

const char* name_of(Invariant invariant) {
  return kWords[static_cast<size_t>(invariant)].name;
}
const char* meaning_of(Invariant invariant) {
  return kWords[static_cast<size_t>(invariant)].meaning;
}

void InvariantCounts::violated(Violation violation) {
  const auto index = static_cast<size_t>(violation.invariant);
  ++looked_at_[index];
  if (++violated_[index] <= kKeptOfEach) kept_.push_back(std::move(violation));
}

uint64_t InvariantCounts::violations() const {
  return std::accumulate(violated_.begin(), violated_.end(), uint64_t{0});
}

}  // namespace arenad::chaos
