// The tables and the arithmetic behind `arena-chaos mutants`, and what a run must have looked at; no process is started.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "chaos/joined_figures.h"
#include "chaos/mutants.h"
#include "chaos/played_plan.h"
#include "ipc/mutants.h"

using namespace arenad;
using namespace arenad::chaos;

namespace {

bool misses(const std::vector<Invariant>& missing, Invariant invariant) {
  return std::ranges::find(missing, invariant) != missing.end();
}

Plan plan_with(const std::string& fault) {
  return make_plan({.seed = 1, .arenas = 2, .faults = 3}, {fault});
}

std::string joined(const std::vector<std::string>& objects) {
  auto all = join_figures(objects);
  if (!all) return all.error().text();
  std::erase_if(*all, [](char c) { return c == ' ' || c == '\n'; });
  return *all;
}

}  // namespace

TEST_CASE("planted bugs: every mutant of the programs has a run that catches it") {
  std::set<std::string_view> planted;
  for (const PlantedMutant& one : planted_mutants()) {
    CAPTURE(std::string(one.name));
    CHECK(std::ranges::find(kMutants, one.name) != kMutants.end());
    CHECK(planted.insert(one.name).second);
    CHECK(find_run(one.run) != nullptr);
  }
  CHECK(planted.size() == kMutants.size());
}

TEST_CASE("planted bugs: every named run is of faults that there are, is used, and is the same plan each time") {
  for (const NamedRun& run : named_runs()) {
    CAPTURE(std::string(run.name));
    CHECK(std::ranges::count(planted_mutants(), run.name, &PlantedMutant::run) != 0);
    for (const std::string& fault : run.faults) CHECK(find_fault(fault) != nullptr);
    CHECK(make_plan(run.options, run.faults) == make_plan(run.options, run.faults));
    CHECK(make_plan(run.options, run.faults).steps.size() == run.options.faults);
  }
  CHECK(find_run("no such run") == nullptr);
}

TEST_CASE("what a run has not shown: only what its plan could have") {
  ChaosFindings findings;
  findings.entries = 100;
  const auto of_kills = not_shown(plan_with("worker.killed"), findings);
  CHECK(misses(of_kills, Invariant::isolation));
  CHECK(misses(of_kills, Invariant::recovery));
  CHECK(misses(of_kills, Invariant::database));
  CHECK(misses(of_kills, Invariant::results));
  CHECK_FALSE(misses(of_kills, Invariant::arenad));
  const auto of_stops = not_shown(plan_with("worker.stopped_for_a_moment"), findings);
  CHECK_FALSE(misses(of_stops, Invariant::isolation));
  CHECK(misses(not_shown(plan_with("arenad.killed"), findings), Invariant::arenad));
  findings.entries = 7;  // three of four entries give no result
  CHECK_FALSE(misses(not_shown(plan_with("worker.killed"), findings), Invariant::results));
  findings.invariants.holds(Invariant::isolation);
  findings.invariants.violated({Invariant::recovery, "", "", 0});
  const auto after = not_shown(plan_with("worker.killed"), findings);
  CHECK_FALSE(misses(after, Invariant::isolation));
  CHECK_FALSE(misses(after, Invariant::recovery));
}

TEST_CASE("joined figures: violations add up, of other numbers the larger stands, what is true must be true in all") {
  CHECK(joined({}) == "{}");
  CHECK(joined({R"({"a": 1, "b": "x"})"}) == R"({"a":1,"b":"x"})");
  CHECK(joined({R"({"kills": 7})", R"({"kills": 3, "more": 2.5})"}) == R"({"kills":7,"more":2.5})");
  CHECK(joined({R"({"chaos.violations": 1})", R"({"chaos.violations": 2})"}) == R"({"chaos.violations":3})");
  CHECK(joined({R"({"repeatable": true})", R"({"repeatable": false})"}) == R"({"repeatable":false})");
  CHECK(joined({R"({"seed": 1})", R"({"seed": "no"})"}) == R"({"seed":"no"})");
  CHECK(joined({"{}", "[1]"}).find("2.") != std::string::npos);
  CHECK(joined({R"({"a": [1]})"}).find("1.") != std::string::npos);
  CHECK(joined({"nonsense"}).find("1.") != std::string::npos);
}
