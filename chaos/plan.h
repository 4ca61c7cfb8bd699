// What a chaos run is going to do: how its arenas play, and which fault strikes where and when. A plan comes from a seed, can be written down
// and read back, and the same plan meets the same states: a fault strikes when the player of its arena has said so many entries,
// whatever the time is then. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"
#include "chaos/random.h"

namespace arenad::chaos {

struct PlannedArena {
  std::string name;
  uint32_t hz = 0;       // of its ticks; 0: a frame for what comes in, and none else
  uint64_t entries = 0;  // that its player says in all
  bool operator==(const PlannedArena&) const = default;
};

struct Step {
  std::string fault;
  uint64_t arena = 0;     // index in `arenas`: the one that is struck, or whose player gives the moment
  uint64_t at = 0;        // strikes when its player has said so many entries
  uint64_t draw = 0;      // a random number of its own: which byte, how long, and so on
  bool compound = false;  // strikes while what the step before it has done is not over
  bool operator==(const Step&) const = default;
};

struct Plan {
  uint64_t seed = 0;
  // A studio's own game, its module, and the program that plays it (arenad/driver.h); both empty: the ledger.
  std::string game = {};
  std::string driver = {};
  std::vector<PlannedArena> arenas;
  std::vector<Step> steps;  // by arena, and of one arena by `at`
  bool operator==(const Plan&) const = default;
};

struct PlanOptions {
  uint64_t seed = 0;
  uint64_t arenas = 8;
  uint64_t faults = 200;
  uint64_t entries_between = 12;  // that a player says between two faults of its arena, on average
};

// So that whatever the last fault of an arena has done shows.
constexpr uint64_t kEntriesAfterTheLast = 20;

// The steps of a seed, one after the other and without end: a plan is the first so many of them.
class StepMaker {
 public:
  // At least one fault.
  StepMaker(const PlanOptions& options, std::vector<std::string> faults);
  Step next();

 private:
  uint64_t entries_between_;
  std::vector<std::string> faults_;
  std::vector<std::string> round_;  // that are still to come before any of them comes again
  Random which_;
  Random when_;
  Random draw_;
  std::vector<uint64_t> last_at_;  // of each arena; none yet: 0
  std::vector<bool> has_steps_;
  uint64_t turn_ = 0;
};

// Each of these faults is in it at least once if there are as many; how often any comes is as random as the rest.
Plan make_plan(const PlanOptions& options, const std::vector<std::string>& faults);

// The plan without what is not among these steps, which are some of its own in their order.
Plan plan_with(const Plan& plan, std::vector<Step> steps);

std::string to_json(const Plan& plan);
// An error says where the text is not a plan.
Result<Plan> plan_of_json(std::string_view text);

}  // namespace arenad::chaos
