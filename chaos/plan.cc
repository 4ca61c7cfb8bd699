#include "chaos/plan.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace arenad::chaos {
namespace {

using nlohmann::json;

constexpr uint32_t kRates[] = {0, 20, 60};
constexpr uint64_t kOneInCompound = 8;

void shuffle(std::vector<std::string>& list, Random& random) {
  for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.below(i)]);
}

// Others would be made to fit without a word: -1 is 4294967295 ticks a second then.
template <class Number>
Number whole_number(const json& from, const char* key) {
  const json& value = from.at(key);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<Number>::max()) {
    throw std::invalid_argument(
        fmt::format("{} is {}, and no whole number from 0 to {}", key, value.dump(), std::numeric_limits<Number>::max()));
  }
  return value.get<Number>();
}

void set_entries(Plan& plan) {
  for (PlannedArena& arena : plan.arenas) arena.entries = kEntriesAfterTheLast;
  for (const Step& step : plan.steps) {
    uint64_t& entries = plan.arenas[step.arena].entries;
    entries = std::max(entries, step.at + kEntriesAfterTheLast);
  }
}

}  // namespace

StepMaker::StepMaker(const PlanOptions& options, std::vector<std::string> faults)
    : entries_between_(options.entries_between),
      faults_(std::move(faults)),
      which_(options.seed, "which fault"),
      when_(options.seed, "when"),
      draw_(options.seed, "draw"),
      last_at_(options.arenas),
      has_steps_(options.arenas) {}

// Each fault is as often drawn as any other, give or take one, and the arenas take turns.
Step StepMaker::next() {
  if (round_.empty()) {
    round_ = faults_;
    shuffle(round_, which_);
    std::ranges::reverse(round_);
  }
  const uint64_t arena = turn_++ % last_at_.size();
  Step step{.fault = std::move(round_.back()), .arena = arena, .draw = draw_.next()};
  round_.pop_back();
  step.compound = has_steps_[arena] && when_.below(kOneInCompound) == 0;
  step.at = last_at_[arena] + (step.compound ? 0 : 1 + when_.below(2 * entries_between_));
  last_at_[arena] = step.at;
  has_steps_[arena] = true;
  return step;
}

Plan make_plan(const PlanOptions& options, const std::vector<std::string>& faults) {
  Plan plan;
  plan.seed = options.seed;
  Random play(options.seed, "play");
  for (uint64_t i = 0; i < options.arenas; ++i) {
    plan.arenas.push_back({fmt::format("chaos-{}", i), kRates[play.below(std::size(kRates))], 0});
  }
  StepMaker maker(options, faults);
  const uint64_t count = faults.empty() ? 0 : options.faults;
  for (uint64_t i = 0; i < count; ++i) plan.steps.push_back(maker.next());
  std::ranges::stable_sort(plan.steps, {}, &Step::arena);
  set_entries(plan);
  return plan;
}

Plan plan_with(const Plan& plan, std::vector<Step> steps) {
  Plan fewer = plan;
  fewer.steps = std::move(steps);
  set_entries(fewer);
  return fewer;
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
  json whole{{"schema", 1}, {"seed", plan.seed}, {"arenas", arenas}, {"steps", steps}};
  if (!plan.game.empty()) {
    whole["game"] = plan.game;
    whole["driver"] = plan.driver;
  }
  return whole.dump(1) + "\n";
}

Result<Plan> plan_of_json(std::string_view text) {
  try {
    const json from = json::parse(text);
    if (from.at("schema") != 1) return make_error(ErrorCode::invalid, "a plan of another schema than 1");
    Plan plan;
    plan.seed = whole_number<uint64_t>(from, "seed");
    plan.game = from.value("game", "");
    plan.driver = from.value("driver", "");
    if (plan.game.empty() != plan.driver.empty())
      return make_error(ErrorCode::invalid, "a game of one's own needs both, game and driver");
    for (const json& arena : from.at("arenas")) {
      plan.arenas.push_back({arena.at("name"), whole_number<uint32_t>(arena, "hz"), whole_number<uint64_t>(arena, "entries")});
    }
    for (const json& step : from.at("steps")) {
      plan.steps.push_back({step.at("fault"), whole_number<uint64_t>(step, "arena"), whole_number<uint64_t>(step, "at"),
                            whole_number<uint64_t>(step, "draw"), step.value("compound", false)});
      if (plan.steps.back().arena >= plan.arenas.size()) {
        return make_error(ErrorCode::invalid,
                          fmt::format("step {} strikes an arena that the plan does not have", plan.steps.size()));
      }
    }
    return plan;
  } catch (const std::exception& error) {
    return make_error(ErrorCode::invalid, fmt::format("not a plan: {}", error.what()));
  }
}

}  // namespace arenad::chaos
