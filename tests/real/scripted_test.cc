// A game in a language of its own (tests/games/scripted_game.cc): where it was in it is told with its deaths and its slow frames.
#include <filesystem>
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

using Lines = std::vector<std::string>;

const Lines kCalls{"aim (scripts/turret.script:31)", "on_misbehave (scripts/battle.script:12)"};
const std::string kInNative = "native code, holds the interpreter's lock";

constexpr const char* kLimits =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
    "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 60000\n";

std::string sections() {
  return kLimits +
         game_section("scripted", module_path("scripted"), "writable = [\".\"]\n");  // it removes a file of the test's
}

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

// Dies of this in an event; the report. The event dies with it once: its file goes first.
Report die_of(Daemon& daemon, Player& player, const std::string& how) {
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  const ArenaFacts before = daemon.arena("duel");
  misbehave(player, {.how = how, .while_file = cause.string(), .times = Wish::Times::once});
  REQUIRE(daemon.runs_again("duel", before.epoch));
  std::vector<Report> found;
  REQUIRE(eventually([&] {
    found = crashes(daemon, "duel");
    return !found.empty() && found[0].epoch == before.epoch;
  }));
  return crash(daemon, found[0].id);
}

// Runs for so long in an event; the report.
Report be_slow_by(Daemon& daemon, Player& player, const std::string& how, uint32_t ms = 500) {
  const auto newest = [&] {
    const auto all = crashes(daemon, "duel", SlowFrames::included);
    return all.empty() ? 0 : all[0].id;
  };
  const uint64_t last = newest();
  misbehave(player, {.how = how, .while_file = "", .ms = ms});
  REQUIRE(eventually([&] { return newest() > last; }));
  // Another one is not begun while this one runs.
  player.say();
  REQUIRE(player.hears_all());
  return crash(daemon, newest());
}

}  // namespace

TEST_CASE("a death is reported with where the game was in its own language") {
  Daemon daemon(sections());
  daemon.start();
  daemon.start_arena("duel", {}, "scripted");
  Player ann(daemon.socket(), "duel", "ann");
  for (const std::string how : {"write", "abort", "exit"}) {
    INFO(how);
    const Report report = die_of(daemon, ann, how);
    CHECK(report.script == kCalls);
    CHECK_FALSE(report.stack.empty());
  }
  const Report in_native = die_of(daemon, ann, "native, write");
  CHECK(in_native.kind == "crash");
  CHECK(in_native.script == Lines{kInNative, kCalls[0], kCalls[1]});
  const Report killed = die_of(daemon, ann, "kill");
  CHECK(killed.script.empty());

  const Finished shown = daemon.arenactl({"crashes", "show", std::to_string(in_native.id)});
  CHECK(shown.code == 0);
  CHECK(has(shown.out, "where the game was in its own language, innermost call first:\n  " + kInNative + "\n  " + kCalls[0] +
                           "\n  " + kCalls[1] + "\n"));
  CHECK(daemon.has_logged("signature=\"SIGSEGV aim (scripts/turret.script:31)\""));
  CHECK(daemon.has_logged("signature=\"SIGSEGV scripted.so+0x"));  // native code was called: the function that it is in
}

TEST_CASE(
    "an error of the game's own language is reported with its reason and its traceback, and so is the event that it "
    "quarantines") {
  Daemon daemon(sections());
  daemon.start();
  daemon.start_arena("duel", {}, "scripted");
  Player ann(daemon.socket(), "duel", "ann");
  const ArenaFacts before = daemon.arena("duel");
  misbehave(ann, {.how = "fail"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 1; }));
  REQUIRE(daemon.runs_again("duel", before.epoch + 1));
  REQUIRE(quarantine(daemon).size() == 1);
  const Report report = crash(daemon, quarantine(daemon)[0].incident);
  CHECK(report.kind == "crash");
  CHECK(has(report.cause, "on_event failed: DivisionByZero: nothing to aim at (scripts/turret.script:31, in aim)"));
  CHECK(report.script == kCalls);

  const Finished withheld = daemon.arenactl({"quarantine", "show", std::to_string(quarantine(daemon)[0].id)});
  CHECK(has(withheld.out, "arenactl crashes show " + std::to_string(report.id)));
  const Finished shown = daemon.arenactl({"crashes", "show", std::to_string(report.id)});
  CHECK(has(shown.out, "where the error was raised, innermost call first:\n  " + kCalls[0] + "\n  " + kCalls[1] + "\n"));
  CHECK(has(daemon.arenactl({"crashes", "show", std::to_string(report.id), "--json"}).out, R"("script_source":"error")"));
  CHECK(daemon.has_logged("signature=\"SIGABRT aim (scripts/turret.script:31)\""));
}

TEST_CASE("a slow frame is reported with where the game was in its own language, and goes on") {
  Daemon daemon(sections());
  daemon.start();
  daemon.start_arena("duel", {}, "scripted");
  Player ann(daemon.socket(), "duel", "ann");
  const Report of_script = be_slow_by(daemon, ann, "burn");
  CHECK(of_script.kind == "slow");
  CHECK(of_script.script == kCalls);
  const Report of_native = be_slow_by(daemon, ann, "native, burn");
  CHECK(of_native.script == Lines{kInNative, kCalls[0], kCalls[1]});
  CHECK(crashes(daemon, "duel").empty());
  CHECK(daemon.arena("duel").epoch == 1);
}

TEST_CASE("arenactl slow puts slow frames together by where they were caught, and draws them") {
  Daemon daemon(sections() + echo_section());
  daemon.start();
  daemon.start_arena("duel", {}, "scripted");
  Player ann(daemon.socket(), "duel", "ann");
  CHECK(has(daemon.arenactl({"slow"}).err, "no slow frame is recorded"));
  for (const char* how : {"burn", "burn", "native, burn"}) be_slow_by(daemon, ann, how);

  const json told = json::parse(daemon.arenactl({"slow", "scripted", "--stacks", "--json"}).out)["slow"];
  CAPTURE(told.dump(2));
  CHECK(told["frames"] == 3);
  CHECK(told["arenas"] == 1);
  REQUIRE(told["sites"].size() == 2);
  // Those that took longest in all come first, and which do depends on the machine.
  const bool script_first = told["sites"][0]["call_site"] == kCalls[0];
  const json& of_script = told["sites"][script_first ? 0 : 1];
  const json& of_native = told["sites"][script_first ? 1 : 0];
  CHECK(of_script["call_site"] == kCalls[0]);
  CHECK(of_script["count"] == 2);
  CHECK(of_script["phase"] == "applying");
  CHECK(of_script["longest_ms"] >= 100);
  CHECK(of_script["total_ms"] >= 200);
  CHECK(of_native["count"] == 1);
  CHECK(of_native["call_site"].get<std::string>().starts_with(kCalls[0] + " > "));
  CHECK(of_native["call_site"].get<std::string>().ends_with(" (" + kInNative + ")"));
  bool goes_through_crunch = false;
  for (const json& stack : told["stacks"]) {
    for (const json& call : stack["calls"]) {
      goes_through_crunch = goes_through_crunch || call == json{{"name", "scripted_crunch"}, {"language", "native"}};
      CHECK(call["name"] != "_PyEval_EvalFrameDefault");
    }
    CHECK(stack["calls"].back() == json{{"name", kCalls[1]}, {"language", "script"}});
  }
  CHECK(goes_through_crunch);

  const std::string file = (daemon.folder() / "slow.svg").string();
  const Finished drawn = daemon.arenactl({"slow", "--flame", file});
  CHECK(drawn.code == 0);
  CHECK(has(drawn.out, "CALL-SITE\n"));
  CHECK(has(drawn.err, "3 slow frames of 1 arena, from "));
  const std::string svg = read_file(file);
  CHECK(has(svg, "<title>" + kCalls[1] + ": 3 slow frames, "));
  CHECK(has(svg, "<title>scripted_crunch: 1 slow frame, "));
  const Finished checked =
      run_to_end({"/bin/sh", "-c", "! command -v xmllint >/dev/null || xmllint --noout --nonet " + file}, daemon.folder());
  CAPTURE(checked.err);
  CHECK(checked.code == 0);

  const auto frames = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words{"slow", "--json"};
    words.insert(words.end(), options.begin(), options.end());
    return json::parse(daemon.arenactl(words).out)["slow"]["frames"].get<int>();
  };
  CHECK(frames({"echo"}) == 0);
  CHECK(frames({"--arena", "du*"}) == 3);
  CHECK(frames({"--arena", "duel"}) == 3);
  CHECK(frames({"--arena", daemon.arena("duel").id}) == 3);
  CHECK(frames({"--arena", "dual"}) == 0);
  CHECK(frames({"--since", "1h"}) == 3);
  CHECK(frames({"--since", "0"}) == 0);
  CHECK(frames({"--limit", "2"}) == 2);
}
