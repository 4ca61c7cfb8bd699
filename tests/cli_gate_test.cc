// arenactl gate: the times of runs put together, what counts as worse, what is written of it; and the text that arena-worker writes of a run.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/gate.h"
#include "cli/gate_report.h"
#include "ipc/replay_times.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace arenad;
using namespace arenad::cli;
using nlohmann::json;

ReplayTimes run_of(const std::vector<uint64_t>& ns, const std::string& version = "1.0") {
  ReplayTimes run{"tanks", version, {}, {{2, 1, 0xabc, 24, 7}, {3, 2, 0xabc, 24, 8}}, 0x77};
  for (size_t i = 0; i < ns.size(); ++i) run.frames.push_back({i + 1, ns[i], 0x100 + i, false});
  return run;
}

GateSide side(const std::vector<ReplayTimes>& runs) {
  const auto made = side_of(runs);
  REQUIRE(made.ok());
  return made.value();
}

const GateCheck& check_of(const std::vector<GateCheck>& checks, const std::string& name) {
  const auto found = std::ranges::find(checks, name, &GateCheck::name);
  REQUIRE(found != checks.end());
  return *found;
}

Verdict verdict(const GateSide& before, const GateSide& after, const std::string& name, const GatePolicy& policy = {}) {
  return check_of(gate_checks(&before, after, "", policy), name).verdict;
}

}  // namespace

TEST_CASE("gate: a frame's time is its shortest, and mean, percentile and longest are those of these") {
  const GateSide of_two = side({run_of({10, 500, 30}), run_of({900, 20, 40})});
  CHECK(of_two.times == FrameTimes{20, 30, 30});
  CHECK(of_two.frames == 3);
  CHECK(of_two.game == "tanks");
  CHECK(of_two.is_deterministic);
  std::vector<uint64_t> hundred(100, 10);
  hundred[7] = 1'000;
  CHECK(side({run_of(hundred)}).times == FrameTimes{19, 10, 1'000});
  hundred[8] = 900;
  CHECK(side({run_of(hundred)}).times == FrameTimes{28, 900, 1'000});
  CHECK(side({run_of({5})}).times == FrameTimes{5, 5, 5});
  CHECK_FALSE(side_of({}).ok());
  const std::vector<ReplayTimes> without_frames{run_of({})};
  CHECK_FALSE(side_of(without_frames).ok());
}

TEST_CASE("gate: the same code twice passes") {
  const GateSide one = side({run_of({1'000'000, 2'000'000})});
  const auto checks = gate_checks(&one, one, "", {});
  CHECK(has_passed(checks));
  for (const GateCheck& check : checks) CHECK((check.verdict == Verdict::passed));
}

TEST_CASE("gate: slower by more than is allowed fails, and by less than anything means does not") {
  const GateSide before = side({run_of(std::vector<uint64_t>(10, 1'000'000))});
  const auto after = [](uint64_t ns) { return side({run_of(std::vector<uint64_t>(10, ns))}); };
  for (const char* name : {"mean frame", "99th percentile", "longest frame"}) {
    CAPTURE(name);
    CHECK((verdict(before, after(1'100'000), name) == Verdict::passed));
    CHECK((verdict(before, after(1'100'001), name) == Verdict::failed));
    CHECK((verdict(before, after(10), name) == Verdict::passed));
    CHECK((verdict(before, after(1'500'000), name, {.max_slower_percent = 50}) == Verdict::passed));
    CHECK((verdict(before, after(1'500'001), name, {.max_slower_percent = 50}) == Verdict::failed));
  }
  CHECK((verdict(before, after(1'050'001), "longest frame", {.max_slower_percent = 0}) == Verdict::failed));
  CHECK((verdict(before, after(1'050'000), "longest frame", {.max_slower_percent = 0}) == Verdict::passed));
  CHECK((verdict(before, after(1'001'001), "mean frame", {.max_slower_percent = 0}) == Verdict::failed));
  CHECK((verdict(before, after(1'001'000), "mean frame", {.max_slower_percent = 0}) == Verdict::passed));
  CHECK(check_of(gate_checks(&before, after(1'500'000), "", {}), "mean frame").change == "+50.0 %");
}

TEST_CASE(
    "gate: outputs and state must be the same within a version, and may differ between two, unless it is said otherwise") {
  const GateSide before = side({run_of({10, 20})});
  ReplayTimes other_run = run_of({10, 20});
  other_run.frames[1].outputs_hash ^= 1;
  other_run.state_hash ^= 1;
  GateSide other = side({other_run});
  for (const char* name : {"outputs", "final state"}) {
    CAPTURE(name);
    CHECK((verdict(before, other, name) == Verdict::failed));
    CHECK((verdict(before, other, name, {.outputs = Wanted::any}) == Verdict::shown));
  }
  other.version = "2.0";
  for (const char* name : {"outputs", "final state"}) {
    CAPTURE(name);
    CHECK((verdict(before, other, name) == Verdict::shown));
    CHECK((verdict(before, other, name, {.outputs = Wanted::same}) == Verdict::failed));
  }
  CHECK((verdict(before, side({run_of({10, 20, 30})}), "frames") == Verdict::failed));
}

TEST_CASE("gate: results must be the same, whatever the version, unless it is said otherwise") {
  const GateSide before = side({run_of({10, 20})});
  GateSide after = side({run_of({10, 20}, "2.0")});
  CHECK((verdict(before, after, "results") == Verdict::passed));
  after.results[1].hash ^= 1;
  CHECK((verdict(before, after, "results") == Verdict::failed));
  CHECK((verdict(before, after, "results", {.results = Wanted::any}) == Verdict::shown));
  CHECK(check_of(gate_checks(&before, after, "", {}), "results").change == "1 different");
  after.results.clear();
  CHECK(check_of(gate_checks(&before, after, "", {}), "results").change == "2 different");
}

TEST_CASE("gate: code that gives something else each time fails") {
  ReplayTimes other = run_of({10, 20});
  other.results[0].hash ^= 1;
  const GateSide after = side({run_of({10, 20}), other});
  CHECK_FALSE(after.is_deterministic);
  CHECK((verdict(side({run_of({10, 20})}), after, "every run the same") == Verdict::failed));
}

TEST_CASE("gate: with the recording alone, outputs are compared with what was recorded and times are shown") {
  ReplayTimes run = run_of({10, 20});
  CHECK(has_passed(gate_checks(nullptr, side({run}), "1.0", {})));
  CHECK((check_of(gate_checks(nullptr, side({run}), "1.0", {}), "mean frame").verdict == Verdict::shown));
  run.frames[1].diverged = true;
  CHECK_FALSE(has_passed(gate_checks(nullptr, side({run}), "1.0", {})));
  CHECK(check_of(gate_checks(nullptr, side({run}), "1.0", {}), "outputs").change == "1 of 2 frames");
  CHECK(has_passed(gate_checks(nullptr, side({run}), "0.9", {})));
  CHECK(has_passed(gate_checks(nullptr, side({run}), "1.0", {.outputs = Wanted::any})));
}

TEST_CASE("gate: what is found is told as a table, as JSON and as JUnit's XML") {
  const GateSide before = side({run_of({1'000'000, 2'000'000})});
  const GateSide after = side({run_of({3'000'000, 2'000'000}, "2 \"<&>\"")});
  const GateReport report{"01AB of tanks, epoch 1", "old.so", "new.so <2>", gate_checks(&before, after, "", {})};
  const std::string table = gate_table(report.checks).text(Colour::none, Header::shown);
  CHECK(table.starts_with("CHECK                  BEFORE     AFTER   CHANGE  VERDICT\n") == false);
  CHECK(table.find("mean frame") != std::string::npos);
  CHECK(table.find("+66.7 %  failed") != std::string::npos);
  const json parsed = json::parse(gate_json(report));
  CHECK(parsed["schema"] == 1);
  CHECK(parsed["gate"]["passed"] == false);
  CHECK(parsed["gate"]["before"] == "old.so");
  CHECK(
      parsed["gate"]["checks"][0] ==
      json{
          {"name", "mean frame"}, {"before", "1.500 ms"}, {"after", "2.500 ms"}, {"change", "+66.7 %"}, {"verdict", "failed"}});
  const std::string xml = gate_junit(report);
  CHECK(xml.find("tests=\"8\" failures=\"3\"") != std::string::npos);
  CHECK(xml.find("<failure message=\"mean frame: 1.500 ms before, 2.500 ms after +66.7 %\"/>") != std::string::npos);
  const test::TemporaryFolder folder;
  const std::string file = folder.file("gate.xml");
  std::ofstream(file) << xml;
  if (std::system("command -v xmllint >/dev/null") == 0) {                        // NOLINT(concurrency-mt-unsafe)
    CHECK(std::system(("xmllint --noout --nonet '" + file + "'").c_str()) == 0);  // NOLINT(concurrency-mt-unsafe)
  }
}

TEST_CASE("gate: a baseline reads back as it was, and is only of its own recording") {
  GateSide kept = side({run_of({1'000'000, 2'000'000})});
  kept.outputs_hash = UINT64_MAX;
  const auto read = read_baseline(baseline_json("01AB, epoch 1", kept), "01AB, epoch 1");
  REQUIRE(read.ok());
  CHECK(read.value() == kept);
  CHECK(read_baseline(baseline_json("01AB, epoch 1", kept), "01AB, epoch 2").error().code == ErrorCode::invalid);
  for (const char* text : {"", "{}", "[1]", "{\"baseline\":{}}", "{\"baseline\":{\"recording\":\"01AB, epoch 1\"}}", "\xff"}) {
    CAPTURE(text);
    CHECK_FALSE(read_baseline(text, "01AB, epoch 1").ok());
  }
}

TEST_CASE("replay times: read back as they were written") {
  ReplayTimes times = run_of({10, 2'000'000'000'000, 0}, "1.0 beta");
  times.frames[1].diverged = true;
  times.state_hash = UINT64_MAX;
  const auto read = read_replay_times(write_replay_times(times));
  REQUIRE(read.ok());
  CHECK(read.value() == times);
  const ReplayTimes empty{"tanks", "", {}, {}, 0};
  REQUIRE(read_replay_times(write_replay_times(empty)).ok());
  CHECK(read_replay_times(write_replay_times(empty)).value() == empty);
}

TEST_CASE("replay times: what is cut off or no such text is refused") {
  const std::string whole = write_replay_times(run_of({10, 20}));
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(read_replay_times(whole.substr(0, length)).ok());
  }
  for (const std::string& text : std::vector<std::string>{
           "frame 1 2 3 0\n" + whole, whole + "end 7\n", whole + "frame 1 2 3 0\n", "module t 1\nframe 1 2 3\nend 0\n",
           "module t 1\nframe 1 2 3 0 4\nend 0\n", "module t 1\nframe -1 2 3 0\nend 0\n", std::string("module t 1\nend x\n"),
           std::string("module t 1\n\nend 0\n")}) {
    CAPTURE(text);
    CHECK_FALSE(read_replay_times(text).ok());
  }
}
