// Workers that do not move, or are slow: what is recorded, who is ended, and who is left alone.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kLimits =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
    "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 1000\n";

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

bool is_in(const Report& report, const std::string& object) {
  return std::ranges::any_of(report.stack, [&](const ReportedFrame& frame) { return frame.object.ends_with(object); });
}

}  // namespace

TEST_CASE("a slow frame is recorded with the stack of where it was, and nothing is ended") {
  Daemon daemon(std::string(kLimits) + echo_section("hard_limit_ms = 60000\n"));
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  for (const std::string how : {"sleep", "burn"}) {
    INFO(how);
    const uint64_t last = [&] {
      const auto all = crashes(daemon, "duel", SlowFrames::included);
      return all.empty() ? 0 : all[0].id;
    }();
    misbehave(ann, {.how = how, .while_file = "", .ms = 600});
    play(ann, 1);
    REQUIRE(eventually([&] {
      const auto all = crashes(daemon, "duel", SlowFrames::included);
      return !all.empty() && all[0].id > last;
    }));
    const Report report = crash(daemon, crashes(daemon, "duel", SlowFrames::included)[0].id);
    CHECK(report.kind == "slow");
    CHECK(report.phase == "applying");
    CHECK(report.player == "ann");
    CHECK(report.took_ms >= 100);
    CHECK(is_in(report, "echo.so"));
  }
  CHECK(crashes(daemon, "duel").empty());
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.frames_slow == 2; }));
  CHECK(daemon.arena("duel").restarts_total == 0);
  CHECK(daemon.arena("duel").epoch == 1);
}

TEST_CASE("an endless loop in a tick is ended with a stack, and its arena recovered") {
  Daemon daemon(std::string(kLimits) + echo_section());
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  misbehave(ann, {.how = "hang", .while_file = cause.string(), .when = Wish::When::in_tick});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.restarts_total > 0; }));
  std::filesystem::remove(cause);
  REQUIRE(daemon.runs_again("duel", 1));
  const auto all = crashes(daemon, "duel");
  const auto first = std::ranges::find_if(all, [](const Report& report) { return report.epoch == 1; });
  REQUIRE(first != all.end());
  const Report report = crash(daemon, first->id);
  CHECK(report.kind == "hang");
  CHECK(report.phase == "ticking");
  CHECK(report.took_ms >= 1000);
  CHECK(is_in(report, "echo.so"));
  play(ann, 3);
  CHECK(ann.ask().applied == 6);
}

TEST_CASE("a worker that is stopped is replaced, and waking up it can write nothing that counts") {
  Daemon daemon(std::string(kLimits) + echo_section());
  daemon.start();
  daemon.start_arena("idle");
  daemon.start_arena("ticking", {{"hz", "50"}});
  Player ann(daemon.socket(), "idle", "ann");
  Player bob(daemon.socket(), "ticking", "bob");
  play(ann, 3);
  play(bob, 3);
  const pid_t idle = daemon.arena("idle").pid;
  const pid_t ticking = daemon.arena("ticking").pid;
  ::kill(idle, SIGSTOP);
  ::kill(ticking, SIGSTOP);
  ann.say();
  REQUIRE(daemon.runs_again("idle", 1));
  REQUIRE(daemon.runs_again("ticking", 1));
  ::kill(idle, SIGCONT);
  ::kill(ticking, SIGCONT);
  play(ann, 3);
  play(bob, 3);
  CHECK(ann.ask().applied == 7);
  CHECK(bob.ask().applied == 6);
  for (const std::string arena : {"idle", "ticking"}) {
    CHECK(daemon.arena(arena).epoch == 2);
    const auto all = crashes(daemon, arena);
    REQUIRE(all.size() == 1);
    CHECK(all[0].kind == "hang");
  }
}

TEST_CASE("idle workers and workers of an arenad that was stopped are left alone") {
  Daemon daemon(std::string(kLimits) + echo_section());
  daemon.start();
  daemon.start_arena("idle");
  daemon.start_arena("empty");
  daemon.start_arena("ticking", {{"hz", "50"}});
  Player ann(daemon.socket(), "idle", "ann");
  play(ann, 3);
  const uint64_t began_ns = monotonic_ns();
  const auto waits = [&](uint64_t ms) {
    // The other arena's frames tell that time passes.
    REQUIRE(eventually([&] { return monotonic_ns() - began_ns > ms * kMillisecond; }));
  };
  waits(2500);
  ::kill(daemon.pid(), SIGSTOP);
  waits(5000);
  ::kill(daemon.pid(), SIGCONT);
  play(ann, 3);
  waits(6500);
  CHECK(crashes(daemon, "empty", SlowFrames::included).empty());
  for (const std::string arena : {"idle", "empty", "ticking"}) {
    CHECK(daemon.arena(arena).epoch == 1);
    CHECK(daemon.arena(arena).restarts_total == 0);
    CHECK(crashes(daemon, arena).empty());
  }
}

TEST_CASE("an endless loop in one arena makes no other late") {
  Daemon daemon(std::string(kLimits) + echo_section("hard_limit_ms = 1500\n"));
  daemon.start();
  daemon.start_arena("loop", {{"hz", "20"}});
  for (int i = 0; i < 4; ++i) daemon.start_arena("other-" + std::to_string(i), {{"hz", "20"}});
  Player ann(daemon.socket(), "loop", "ann");
  const auto late = [&] {
    uint64_t frames = 0;
    for (int i = 0; i < 4; ++i) frames += daemon.arena("other-" + std::to_string(i)).frames_late;
    return frames;
  };
  const auto frames_of_others = [&] { return daemon.arena("other-0").frame; };
  // The same stretch of frames without it first: what the machine itself does to them.
  const uint64_t at_first = late();
  const uint64_t from = frames_of_others();
  REQUIRE(eventually([&] { return frames_of_others() >= from + 30; }));
  const uint64_t without = late() - at_first;
  misbehave(ann, {.how = "hang", .when = Wish::When::in_tick});
  REQUIRE(daemon.becomes("loop", [](const ArenaFacts& facts) { return facts.restarts_total == 1; }));
  const uint64_t with = late() - at_first - without;
  MESSAGE("late frames of four others in 1.5 s: ", without, " without and ", with, " with an endless loop beside them");
  // Four at 20 Hz have 120 frames in that time. A loop that held them up would make nearly all of them late.
  CHECK(with <= without + 12);
}
