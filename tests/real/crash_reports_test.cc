// What is left of a worker's end: the kind of it, the cause, where it was, the stack.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kManyRestarts =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n";

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

// Dies once of this, in an event; the newest report.
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

bool is_in(const Report& report, const std::string& object) {
  return std::ranges::any_of(report.stack, [&](const ReportedFrame& frame) { return frame.object.ends_with(object); });
}

}  // namespace

TEST_CASE("each kind of death is told apart, with the event, the stack and the module's build id") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);

  struct Case {
    std::string how, kind, cause;
    int signal;
    enum class Stack { none, there } stack;
  };
  const std::vector<Case> cases{
      {"write", "crash", "signal=SEGV, address 0x10 is not mapped", SIGSEGV, Case::Stack::there},
      {"segv", "crash", "signal=SEGV", SIGSEGV, Case::Stack::there},
      {"abort", "crash", "signal=ABRT", SIGABRT, Case::Stack::there},
      {"throw", "crash", "signal=ABRT: uncaught exception: the rules do not allow that", SIGABRT, Case::Stack::there},
      {"fpe", "crash", "signal=FPE, division by zero", SIGFPE, Case::Stack::there},
      {"ill", "crash", "signal=ILL", SIGILL, Case::Stack::there},
      {"overflow", "crash", "signal=SEGV", SIGSEGV, Case::Stack::there},
      {"exit", "exit", "code=exited, status=0, in the middle of a match", 0, Case::Stack::there},
      {"_exit", "exit", "code=exited, status=7, in the middle of a match", 0, Case::Stack::none},
      {"kill", "killed", "signal=KILL", SIGKILL, Case::Stack::none},
  };
  for (const Case& one : cases) {
    INFO(one.how);
    const Report report = die_of(daemon, ann, one.how);
    CHECK(report.kind == one.kind);
    CHECK(report.cause.starts_with(one.cause));
    INFO(report.cause);
    CHECK(report.signal == static_cast<uint32_t>(one.signal));
    CHECK(report.name == "duel");
    CHECK(report.game_version == "1.0");
    CHECK(report.phase == "applying");
    CHECK(report.player == "ann");
    CHECK(report.sequence > 5);
    CHECK(report.frame > 0);
    CHECK(report.build_id.size() == 40);
    CHECK(report.stack.empty() == (one.stack == Case::Stack::none));
    if (one.stack == Case::Stack::there) {
      CHECK(is_in(report, "echo.so"));
      // Of a stack that overflows only the innermost part is kept.
      CHECK(is_in(report, "arena-worker") == (one.how != "overflow"));
    }
    if (one.how == "write" || one.how == "fpe" || one.how == "overflow") CHECK(report.stack.at(0).object.ends_with("echo.so"));
    play(ann, 2);
  }
  CHECK(ann.ask().applied == ann.said());
  CHECK(daemon.arena("duel").last_exit.starts_with("signal=KILL"));
  CHECK(quarantine(daemon).empty());
  // They outlive arenad.
  const size_t before = crashes(daemon, "duel").size();
  CHECK(before == cases.size());
  daemon.stop();
  daemon.start();
  CHECK(crashes(daemon, "duel").size() == before);
}

TEST_CASE("the report of a death gets what the recovery took, and it outlives arenad") {
  // The second death of a row waits half a second: more ticks than are caught up.
  Daemon daemon(
      "[restart]\nintensity = 3\nwindow_ms = 600000\nfirst_delay_ms = 500\nmax_delay_ms = 500\nhealthy_ms = 600000\n" +
      echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  for (int death = 1; death <= 2; ++death) {
    play(ann, 10);
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    const ArenaFacts now = daemon.arena("duel");
    REQUIRE(eventually([&] {
      const auto found = crashes(daemon, "duel");
      return found.size() == static_cast<size_t>(death) && found[0].recovery_ms > 0;
    }));
    CHECK(crashes(daemon, "duel")[0].rung == now.rung);
  }
  std::vector<Report> reports = crashes(daemon, "duel");
  const Report late = reports[0];
  CHECK(reports[1].ticks_lost < late.ticks_lost);
  CHECK(reports[1].recovery_ms < late.recovery_ms);
  CHECK(late.recovery_ms >= 400);
  // The delay is a part of the start, and the parts are the whole.
  CHECK(late.start_ms >= 400);
  for (const Report& report : reports) {
    CHECK(report.load_ms > 0);
    CHECK(report.replay_ms > 0);
    CHECK(report.start_ms + report.load_ms + report.replay_ms == doctest::Approx(report.recovery_ms));
    CHECK(report.detect_ms > 0);
  }
  // Fifty a second.
  CHECK(late.ticks_lost >= 15);
  CHECK(static_cast<double>(late.ticks_lost) <= (late.detect_ms + late.recovery_ms) / 20 + 2);
  CHECK(daemon.arenactl({"crashes", "show", std::to_string(late.id)}).out.find("ticks lost") != std::string::npos);
  // Given up: nothing brings it back.
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  daemon.kill_worker("duel");
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "failed"; }));
  REQUIRE(daemon.restart("duel").ok());
  REQUIRE(eventually([&] { return crashes(daemon, "duel").size() == 4; }));
  CHECK(crashes(daemon, "duel")[0].recovery_ms == 0);
  daemon.stop();
  daemon.start();
  reports = crashes(daemon, "duel");
  REQUIRE(reports.size() == 4);
  CHECK(reports[2].recovery_ms == doctest::Approx(late.recovery_ms));
  CHECK(reports[2].ticks_lost == late.ticks_lost);
}

TEST_CASE("a death in the tick names no event") {
  Daemon daemon(kManyRestarts + echo_section());
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  misbehave(ann, {.how = "abort", .while_file = cause.string(), .when = Wish::When::in_tick});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.restarts_total > 2; }));
  std::filesystem::remove(cause);
  REQUIRE(daemon.runs_again("duel", 1));
  // The frame that killed kills again when it is run again: each recovery but the last was overtaken by the next death.
  const std::vector<Report> reports = crashes(daemon, "duel");
  for (size_t i = 1; i < reports.size(); ++i) {
    CHECK(reports[i].overtaken_by == reports[i - 1].id);
    CHECK(reports[i].recovery_ms == 0);
  }
  CHECK(eventually([&] { return crashes(daemon, "duel").at(0).recovery_ms > 0; }));
  CHECK(crashes(daemon, "duel").at(0).overtaken_by == 0);
  for (const Report& report : reports) {
    CHECK(report.phase == "ticking");
    CHECK(report.player.empty());
    CHECK(report.quarantined == 0);
  }
  play(ann, 3);
  CHECK(quarantine(daemon).empty());
}

TEST_CASE("a signal from outside is told with its sender, and blames no event") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  for (const int signal : {SIGTERM, SIGSEGV, SIGABRT}) {
    const ArenaFacts before = daemon.arena("duel");
    ::kill(before.pid, signal);
    REQUIRE(daemon.runs_again("duel", before.epoch));
    REQUIRE(eventually([&] { return crashes(daemon, "duel").at(0).epoch == before.epoch; }));
    const Report report = crashes(daemon, "duel").at(0);
    CHECK(report.kind == "crash");
    CHECK(report.signal == static_cast<uint32_t>(signal));
    CHECK(report.cause.find("sent by process " + std::to_string(::getpid())) != std::string::npos);
  }
  play(ann, 3);
}

TEST_CASE("a crash of an adopted worker, and one that happened while no arenad was there, are told too") {
  Daemon daemon(std::string(kManyRestarts) + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  daemon.kill_arenad();
  SUBCASE("adopted") {
    ::kill(daemon.arena("duel").pid, SIGSEGV);
    REQUIRE(daemon.runs_again("duel", 1));
  }
  SUBCASE("alone") {
    const pid_t worker = daemon.arena("duel").pid;
    ::kill(daemon.pid(), SIGSTOP);  // it never hears of it
    ::kill(worker, SIGSEGV);
    REQUIRE(eventually([&] { return has_ended(worker); }));
    daemon.kill_arenad();
    REQUIRE(daemon.runs_again("duel", 1));
  }
  REQUIRE(eventually([&] { return !crashes(daemon, "duel").empty(); }));
  const Report report = crashes(daemon, "duel").at(0);
  CHECK(report.epoch == 1);
  CHECK(report.kind == "crash");
  CHECK(report.signal == SIGSEGV);
  play(ann, 3);
  CHECK(ann.ask().applied == 6);
}
