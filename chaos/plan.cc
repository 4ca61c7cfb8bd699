#include "chaos/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "chaos/random.h"

namespace arenad::chaos {
namespace {

using nlohmann::json;

constexpr uint32_t kRates[] = {0, 20, 60};
constexpr uint64_t kEntriesAfterTheLast = 20;  // so that whatever the last one has done shows
constexpr uint64_t kOneInCompound = 8;

void shuffle(std::vector<std::string>& list, Random& random) {
  for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.below(i)]);
}

// The same as often as that differs by one at most, in random order.
std::vector<std::string> drawn(const std::vector<std::string>& faults, uint64_t count, Random& random) {
  std::vector<std::string> all;
  while (all.size() < count) {
    std::vector<std::string> round = faults;
    shuffle(round, random);
    all.insert(all.end(), round.begin(), round.end());
  }
  all.resize(count);
  return all;
}

}  // namespace

Plan make_plan(const PlanOptions& options, const std::vector<std::string>& faults) {
  Plan plan;
  plan.seed = options.seed;
  Random play(options.seed, "play");
  for (uint64_t i = 0; i < options.arenas; ++i) {
    plan.arenas.push_back({fmt::format("chaos-{}", i), kRates[play.below(std::size(kRates))], 0});
  }
  Random which(options.seed, "which fault");
  Random when(options.seed, "when");
  Random draw(options.seed, "draw");
  std::vector<std::vector<Step>> of_arena(options.arenas);
  uint64_t turn = 0;
  for (std::string& fault : drawn(faults, faults.empty() ? 0 : options.faults, which)) {
    auto& steps = of_arena[turn++ % options.arenas];
    Step step{.fault = std::move(fault), .arena = (turn - 1) % options.arenas, .draw = draw.next()};
    const uint64_t before = steps.empty() ? 0 : steps.back().at;
    step.compound = !steps.empty() && when.below(kOneInCompound) == 0;
    step.at = before + (step.compound ? 0 : 1 + when.below(2 * options.entries_between));
    steps.push_back(std::move(step));
  }
  for (uint64_t i = 0; i < options.arenas; ++i) {
    plan.arenas[i].entries = (of_arena[i].empty() ? 0 : of_arena[i].back().at) + kEntriesAfterTheLast;
    std::ranges::move(of_arena[i], std::back_inserter(plan.steps));
  }
  return plan;
}

std::string to_json(const Plan& plan) {
  json arenas = json::array();
  for (const PlannedArena& arena : plan.arenas) {
    arenas.push_back({{"name", arena.name}, {"hz", arena.hz}, {"entries", arena.entries}});
  }
  json steps = json::array();
  for (const Step& step : plan.steps) {
    json one{{"fault", step.fault}, {"arena", step.arena}, {"at", step.at}, {"draw", step.draw}};
    if (step.compound) one["compound"] = true;
    steps.push_back(std::move(one));
  }
  return json{{"schema", 1}, {"seed", plan.seed}, {"arenas", arenas}, {"steps", steps}}.dump(1) + "\n";
}

Result<Plan> plan_of_json(std::string_view text) {
  try {
    const json from = json::parse(text);
    if (from.at("schema") != 1) return make_error(ErrorCode::invalid, "a plan of another schema than 1");
    Plan plan;
    plan.seed = from.at("seed");
    for (const json& arena : from.at("arenas")) plan.arenas.push_back({arena.at("name"), arena.at("hz"), arena.at("entries")});
    for (const json& step : from.at("steps")) {
      plan.steps.push_back({step.at("fault"), step.at("arena"), step.at("at"), step.at("draw"), step.value("compound", false)});
      if (plan.steps.back().arena >= plan.arenas.size()) {
        return make_error(ErrorCode::invalid,
                          fmt::format("step {} strikes an arena that the plan does not have", plan.steps.size()));
      }
    }
    return plan;
  } catch (const json::exception& error) {
    return make_error(ErrorCode::invalid, fmt::format("not a plan: {}", error.what()));
  }
}

}  // namespace arenad::chaos
