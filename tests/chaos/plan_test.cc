// Plans: the same seed gives the same one, what is written is read back, and what is none is refused.
#include "chaos/plan.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

namespace {

using namespace arenad;
using namespace arenad::chaos;

const std::vector<std::string> kFaults = {"worker.killed", "worker.stopped", "arenad.killed"};

PlanOptions options(uint64_t seed, uint64_t faults) {
  return {.seed = seed, .arenas = 3, .faults = faults};
}

}  // namespace

TEST_CASE("the same seed gives the same plan, another one another") {
  CHECK(make_plan(options(7, 50), kFaults) == make_plan(options(7, 50), kFaults));
  CHECK(make_plan(options(7, 50), kFaults) != make_plan(options(8, 50), kFaults));
}

TEST_CASE("a plan has as many steps as asked for, of each fault, in order, and entries after the last") {
  for (const uint64_t faults : {0, 1, 3, 200}) {
    CAPTURE(faults);
    const Plan plan = make_plan(options(1, faults), kFaults);
    REQUIRE(plan.steps.size() == faults);
    std::set<std::string> kinds;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      kinds.insert(step.fault);
      CHECK(plan.arenas[step.arena].entries >= step.at + kEntriesAfterTheLast);
      if (i == 0 || plan.steps[i - 1].arena != step.arena) {
        CHECK_FALSE(step.compound);
        continue;
      }
      CHECK(plan.steps[i - 1].arena < step.arena + 1);
      CHECK((step.compound ? plan.steps[i - 1].at == step.at : plan.steps[i - 1].at < step.at));
    }
    CHECK(kinds.size() == std::min<size_t>(faults, kFaults.size()));
  }
}

TEST_CASE("a longer plan of a seed begins as the shorter one, so a run for a time does what a run of so many faults does") {
  const Plan plan = make_plan(options(5, 40), kFaults);
  StepMaker maker(options(5, 0), kFaults);
  std::vector<Step> made;
  for (int i = 0; i < 40; ++i) made.push_back(maker.next());
  std::ranges::stable_sort(made, {}, &Step::arena);
  CHECK(made == plan.steps);
}

TEST_CASE("a plan is read back as it was written") {
  Plan plan = make_plan(options(UINT64_MAX, 60), kFaults);
  plan.steps.front().fault = "a \"fault\" with \\ and \u00FC";
  auto back = plan_of_json(to_json(plan));
  REQUIRE(back.ok());
  CHECK(*back == plan);
}

TEST_CASE("what is not a plan is refused with a reason") {
  const std::string right = to_json(make_plan(options(1, 2), kFaults));
  REQUIRE(plan_of_json(right).ok());
  const auto replaced = [&](const std::string& part, const std::string& by) {
    std::string text = right;
    const size_t place = text.find(part);
    REQUIRE(place != std::string::npos);
    return text.replace(place, part.size(), by);
  };
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
        right.substr(0, right.size() / 2), replaced("\"schema\": 1", "\"schema\": 2"),
        replaced("\"seed\": 1", "\"seed\": \"1\""), replaced("\"steps\"", "\"stops\""),
        replaced("\"arena\": 0", "\"arena\": 3"), replaced("\"fault\"", "\"default\""),
        // numbers that would be made to fit
        replaced("\"seed\": 1", "\"seed\": -1"), replaced("\"seed\": 1", "\"seed\": 1e99"),
        replaced("\"hz\": ", "\"hz\": -1, \"x\": "), replaced("\"hz\": ", "\"hz\": 4294967296, \"x\": "),
        replaced("\"arena\": 0", "\"arena\": 0.5"), replaced("\"arena\": 0", "\"arena\": true"),
        // half of a game of one's own
        replaced("\"schema\": 1", "\"schema\": 1, \"driver\": \"d\""),
        replaced("\"schema\": 1", "\"schema\": 1, \"game\": \"g\"")}) {
    CAPTURE(text);
    const auto plan = plan_of_json(text);
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == ErrorCode::invalid);
    CHECK_FALSE(plan.error().message.empty());
  }
}

TEST_CASE("a plan with fewer steps keeps its arenas, which play no longer than they must") {
  const Plan plan = make_plan(options(2, 30), kFaults);
  const Plan fewer = plan_with(plan, {plan.steps[3]});
  CHECK(fewer.arenas.size() == plan.arenas.size());
  CHECK(fewer.steps == std::vector<Step>{plan.steps[3]});
  for (size_t i = 0; i < fewer.arenas.size(); ++i) {
    CHECK(fewer.arenas[i].entries == kEntriesAfterTheLast + (i == plan.steps[3].arena ? plan.steps[3].at : 0));
  }
  CHECK(plan_with(plan, plan.steps) == plan);
}
