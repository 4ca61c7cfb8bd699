// Invariants' counts, and what a run comes to.
#include "chaos/verdict.h"

#include <set>

#include <doctest/doctest.h>

#include "tests/chaos/small_record.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;
using test::SmallRun;

// The outcome of a step becomes another one.
void not_run(SmallRun& run, size_t outcome, bool lacked_something) {
  run.findings.outcomes[outcome].not_run = "it has no hands";
  run.findings.outcomes[outcome].lacked_something = lacked_something;
  run.findings.outcomes[outcome].took_ms = 0;
}

}  // namespace

TEST_CASE("invariants: what was looked at and violated is counted, and the first violations are kept") {
  InvariantCounts counts;
  CHECK(counts.violations() == 0);
  counts.holds(Invariant::state, 5);
  for (int i = 0; i < 30; ++i) counts.violated({Invariant::state, "a", std::to_string(i), 0});
  counts.violated({Invariant::lost, "b", "gone", 0});
  CHECK(counts.looked_at(Invariant::state) == 35);
  CHECK(counts.violations(Invariant::state) == 30);
  CHECK(counts.violations(Invariant::lost) == 1);
  CHECK(counts.violations(Invariant::litter) == 0);
  CHECK(counts.looked_at(Invariant::litter) == 0);
  CHECK(counts.violations() == 31);
  REQUIRE(counts.kept().size() == 21);
  CHECK(counts.kept().front().text == "0");
  CHECK(counts.kept().back().text == "gone");
}

TEST_CASE("invariants: each has a name of its own and a meaning") {
  std::set<std::string> names;
  for (size_t i = 0; i < kInvariants; ++i) {
    names.insert(name_of(static_cast<Invariant>(i)));
    CHECK(std::string(meaning_of(static_cast<Invariant>(i))).size() > 10);
  }
  CHECK(names.size() == kInvariants);
}

TEST_CASE("a run in which everything was there and recovered has passed") {
  const RunRecord record = SmallRun().record();
  CHECK(record.verdict == Verdict::passed);
  CHECK(record.reasons.empty());
  CHECK(exit_code_of(record.verdict) == 0);
  CHECK(record.fired() == 4);
  CHECK(record.kinds_fired() == 3);
  CHECK(record.took().sorted == std::vector<double>{5, 12.5, 33, 700});
}

TEST_CASE("a violation fails a run, also one that is cut short, broken and vacuous") {
  SmallRun run;
  run.findings.invariants.violated({Invariant::outputs, "chaos-0", "twice", 3});
  CHECK(run.record().verdict == Verdict::failed);
  run.findings.cut_short = true;
  run.findings.outcomes.clear();
  const RunRecord record = run.record("the keeper has ended");
  CHECK(record.verdict == Verdict::failed);
  CHECK(exit_code_of(record.verdict) == 1);
  REQUIRE(record.reasons.size() == 1);
  CHECK(record.reasons[0].find("outputs") != std::string::npos);
}

TEST_CASE("a run that could not go on, or was ended, is cut short, and not vacuous for what it did not come to") {
  SmallRun run;
  run.findings.outcomes.clear();
  CHECK(run.record("no memory").verdict == Verdict::cut_short);
  run.findings.cut_short = true;
  CHECK(run.record().verdict == Verdict::cut_short);
  CHECK(exit_code_of(Verdict::cut_short) == 4);
}

TEST_CASE("a fault that never was there makes a run vacuous, and is named with the reason") {
  SmallRun run;
  not_run(run, 2, false);
  const RunRecord record = run.record();
  CHECK(record.verdict == Verdict::vacuous);
  CHECK(exit_code_of(record.verdict) == 3);
  REQUIRE(record.reasons.size() == 1);
  CHECK(record.reasons[0].find("arenad.killed") != std::string::npos);
  CHECK(record.reasons[0].find("it has no hands") != std::string::npos);
}

TEST_CASE("a fault whose time never came makes a run vacuous") {
  SmallRun run;
  run.findings.outcomes.pop_back();
  const RunRecord record = run.record();
  CHECK(record.verdict == Verdict::vacuous);
  CHECK(record.steps.back().fate == Fate::not_reached);
}

TEST_CASE("a fault that was there once is there, if another step of it was not") {
  SmallRun run;
  not_run(run, 0, false);
  CHECK(run.record().verdict == Verdict::passed);
}

TEST_CASE("a fault that cannot be done here is not run, which is nobody's failure; it has not passed either") {
  SmallRun run;
  not_run(run, 2, true);
  const RunRecord record = run.record();
  CHECK(record.verdict == Verdict::passed);
  CHECK(record.kinds[0].name == "arenad.killed");
  CHECK(record.kinds[0].is_not_run());
  CHECK(record.kinds_fired() == 2);
}

TEST_CASE("a run after which nothing had to recover is vacuous") {
  SmallRun run;
  run.findings.worker_ends = 0;
  CHECK(run.record().verdict == Verdict::passed);
  run.findings.arenad_ends = 0;
  CHECK(run.record().verdict == Verdict::vacuous);
}

TEST_CASE("a plan without a fault is vacuous") {
  SmallRun run;
  run.findings.outcomes.clear();
  run.plan.steps.clear();
  CHECK(run.record().verdict == Verdict::vacuous);
}

TEST_CASE("every rung of the ladder is listed, also one that was never taken") {
  const RunRecord record = SmallRun().record();
  REQUIRE(record.rungs.size() == 4);
  CHECK(record.rungs[0] == std::pair<std::string, uint64_t>("newest slot", 3));
  CHECK(record.rungs[2] == std::pair<std::string, uint64_t>("checkpoint", 0));
}
