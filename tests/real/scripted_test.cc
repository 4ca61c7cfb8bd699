// A game in a language of its own (tests/games/scripted_game.cc): where it was in it is told with its deaths and its slow frames.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;

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
