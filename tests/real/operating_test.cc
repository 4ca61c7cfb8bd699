// What an operator does to single arenas of a real arenad, and to arenad as a whole: undrain, reset-failed, kill, snapshot, shutdown.
#include <csignal>
#include <filesystem>
#include <memory>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "chaos/rig/raw_control.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// The ledger does not end its match when it is told to: a drain of it lasts.
std::string ledger_section() {
  return game_section("ledger", module_path("ledger"));
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// arenactl that takes its time, beside others.
class Waiting {
 public:
  Waiting(const Daemon& daemon, std::vector<std::string> arguments)
      : out_(daemon.folder() / "waiting.out"), err_(daemon.folder() / "waiting.err") {
    arguments.insert(arguments.begin(), {ARENAD_TEST_ARENACTL, "--socket", daemon.socket()});
    program_ = std::make_unique<Program>(ProgramCall{arguments, daemon.folder().path(), out_, err_});
  }
  Finished finish() {
    const auto exit = program_->wait();
    REQUIRE(exit);
    CHECK(exit->how == Exit::How::exited);
    return {exit->value, read_file(out_), read_file(err_)};
  }

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  std::unique_ptr<Program> program_;
};

// So many restarts, and nothing that ends a row.
std::string restarts(int intensity) {
  return "[restart]\nintensity = " + std::to_string(intensity) +
         "\nwindow_ms = 600000\nfirst_delay_ms = 1\nmax_delay_ms = 2\nhealthy_ms = 600000\n";
}

}  // namespace

TEST_CASE("an undrain lets arenas go on, and arenad takes new ones") {
  Daemon daemon(ledger_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  daemon.start_arena("other", {{"hz", "50"}}, "ledger");
  Waiting drain(daemon, {"drain", "--all", "--deadline", "120s", "--yes"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  const auto refused = daemon.try_start_arena("late", {{"hz", "50"}}, "ledger");
  const Finished one = daemon.arenactl({"undrain", "duel"});
  const Finished again = daemon.arenactl({"undrain", "duel"});
  const std::string state_of_one = daemon.arena("duel").state;
  const std::string state_of_other = daemon.arena("other").state;
  const auto still_refused = daemon.try_start_arena("late", {{"hz", "50"}}, "ledger");
  const Finished all = daemon.arenactl({"undrain", "--all"});
  const Finished drained = drain.finish();
  CHECK_FALSE(refused.ok());
  CHECK(one.code == 0);
  CHECK(holds(one.out, "duel: is not stopped at a deadline any more"));
  CHECK(again.code == 0);
  CHECK(again.out == "duel: was not draining\n");
  CHECK(state_of_one == "running");
  CHECK(state_of_other == "draining");
  CHECK_FALSE(still_refused.ok());
  CHECK(all.code == 0);
  CHECK(holds(all.out, "other: is not stopped"));
  CHECK_FALSE(holds(all.out, "duel:"));
  // Who has waited for the end of the drain.
  CHECK(drained.code == 6);
  CHECK(holds(drained.err, "duel: it goes on"));
  CHECK(holds(drained.err, "other: it goes on"));
  CHECK(daemon.arena("other").state == "running");
  CHECK(daemon.try_start_arena("late", {{"hz", "50"}}, "ledger").ok());
}

TEST_CASE("the deadline of a drain that was taken back stops nothing") {
  Daemon daemon(ledger_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  daemon.start_arena("other", {{"hz", "50"}}, "ledger");
  Waiting drain(daemon, {"drain", "duel", "other", "--deadline", "3s"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  CHECK(daemon.arenactl({"undrain", "duel"}).code == 0);
  const Finished drained = drain.finish();  // at the deadline of the other
  CHECK(drained.code == 6);
  CHECK(drained.out == "other: stopped\n");
  CHECK(daemon.arenactl({"undrain", "other"}).out == "other: already stopped\n");
  CHECK(daemon.arena("duel").state == "running");
}

TEST_CASE("crashes that are forgotten are not charged") {
  Daemon daemon(restarts(2) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  for (int round = 0; round < 3; ++round) {
    for (int crash = 0; crash < 2; ++crash) REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    CHECK(daemon.arena("duel").restarts == 2);
    const Finished reset = daemon.arenactl({"reset-failed"});
    CHECK(reset.code == 0);
    CHECK(reset.out == "duel: its crashes are forgotten\n");
    CHECK(daemon.arena("duel").restarts == 0);
  }
  CHECK(daemon.arena("duel").restarts_total == 6);
  CHECK(daemon.arenactl({"reset-failed"}).err == "arenactl: no arena has crashed\n");
  CHECK(daemon.arenactl({"reset-failed", "duel"}).out == "duel: nothing to forget\n");
  CHECK(daemon.arenactl({"reset-failed", "nobody"}).code == 4);
}

TEST_CASE("what has failed is told how to go on") {
  Daemon daemon(restarts(0) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.kill_worker("duel");
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "failed"; }));
  const Finished reset = daemon.arenactl({"reset-failed"});
  CHECK(reset.out == "duel: its crashes are forgotten; it is failed: arenactl restart lets it go on\n");
  CHECK(daemon.arena("duel").state == "failed");
  CHECK(daemon.restart("duel").ok());
  CHECK(daemon.arena("duel").state == "running");
}

TEST_CASE("a signal reaches the worker of the arena that is meant, and no other") {
  Daemon daemon(restarts(100) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other");
  const ArenaFacts before = daemon.arena("duel");
  const ArenaFacts other = daemon.arena("other");
  const Finished sent = daemon.arenactl({"kill", "-s", "KILL", "duel"});
  CHECK(sent.code == 0);
  CHECK(sent.out == "duel: signal 9 sent to process " + std::to_string(before.pid) + "\n");
  REQUIRE(daemon.runs_again("duel", before.epoch));
  CHECK(holds(daemon.arena("duel").last_exit, "KILL"));
  CHECK(daemon.arena("other").pid == other.pid);
  CHECK(daemon.has_logged("an operator has sent it signal 9"));
  REQUIRE(daemon.stop_arena("duel").ok());
  const Finished nobody = daemon.arenactl({"signal", "USR1", "duel"});
  CHECK(nobody.code == 6);
  CHECK(nobody.err == "arenactl: duel: it has no worker: it is stopped\n");
}

// Neither comes by itself for a long time.
TEST_CASE("a snapshot that is asked for is in the database when that is answered") {
  Daemon daemon("[checkpoint]\ninterval_ms = 600000\n[snapshot]\ninterval_ms = 600000\n" + restarts(100) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other", {{"hz", "50"}});
  REQUIRE(daemon.becomes("other", [](const ArenaFacts& arena) { return arena.frame > 0; }));
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 10; ++i) ann.say();
  REQUIRE(ann.hears_all());
  const uint64_t frame = daemon.arena("duel").frame;
  const Finished taken = daemon.arenactl({"snapshot", "duel"});
  INFO(taken.err);
  CHECK(taken.code == 0);
  CHECK(holds(taken.out, "duel: frame "));
  CHECK(daemon.arena("duel").durable_frame >= frame);
  CHECK(daemon.arena("other").durable_frame < daemon.arena("other").frame);
  // With the machine everything dies but the database.
  daemon.crash();
  daemon.start();
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "running"; }));
  CHECK(daemon.arena("duel").frame >= frame);
  REQUIRE(daemon.stop_arena("other").ok());
  CHECK(daemon.arenactl({"snapshot", "other"}).code == 0);
  CHECK(daemon.arenactl({"snapshot", "nobody"}).code == 4);
}

TEST_CASE("a snapshot of a worker that stands still is not promised") {
  Daemon daemon("[hang]\nhard_limit_ms = 0\n[checkpoint]\ninterval_ms = 600000\n[snapshot]\ninterval_ms = 600000\n" +
                restarts(100) + game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  const pid_t worker = daemon.arena("duel").pid;
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.frame > 10; }));
  REQUIRE(::kill(worker, SIGSTOP) == 0);
  const Finished late = daemon.arenactl({"snapshot", "duel", "--timeout", "300ms"});
  CHECK(late.code == 5);
  SUBCASE("and comes when it goes on") {
    REQUIRE(::kill(worker, SIGCONT) == 0);
    CHECK(daemon.arenactl({"snapshot", "duel"}).code == 0);
  }
  SUBCASE("and its successor is asked when it dies") {
    const ArenaFacts before = daemon.arena("duel");
    capnp::MallocMessageBuilder message;
    select_one(message.initRoot<wire::Request>().initSnapshot(), "duel");
    RawControl asks(daemon.socket());
    REQUIRE(asks.send(message));
    // When others have been answered twice since, arenad has read it.
    for (int i = 0; i < 2; ++i) REQUIRE(daemon.arena("duel").durable_frame < before.frame);
    CHECK_FALSE(asks.gets_an_answer(0));
    CHECK(::kill(worker, SIGKILL) == 0);
    CHECK(asks.gets_an_answer(kPatienceMs));
    CHECK(daemon.runs_again("duel", before.epoch));
    CHECK(daemon.arena("duel").durable_frame >= before.frame);
  }
}

TEST_CASE("what is only tried changes nothing, and what is not waited for happens") {
  Daemon daemon(echo_section() + ledger_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other", {{"hz", "50"}}, "ledger");
  const Finished tried = daemon.arenactl({"stop", "game:ledger", "nobody", "--dry-run"});
  CHECK(tried.code == 4);
  CHECK(tried.out == "other: would be stopped, and is running now\n");
  CHECK(holds(tried.err, "nobody: no arena nobody"));
  CHECK(holds(tried.err, "a dry run: nothing was changed"));
  CHECK(daemon.arenactl({"stop", "--all", "--dry-run"}).code == 0);
  CHECK(daemon.arenactl({"shutdown", "--dry-run"}).out == "arenad would be shut down; arenas that are saved: 2\n");
  CHECK(daemon.arena("other").state == "running");
  CHECK(daemon.arena("duel").state == "running");

  const Finished asked = daemon.arenactl({"drain", "game:ledger", "--no-wait", "--deadline", "120s"});
  CHECK(asked.code == 0);
  CHECK(asked.out == "other: has begun; it is draining\n");
  CHECK(daemon.arenactl({"list", "game:*", "-o", "arena", "--no-header"}).out == "duel\nother\n");
  CHECK(daemon.arenactl({"status", "game:nothing"}).code == 4);
  CHECK(daemon.arena("duel").state == "running");
  // A refusal is heard without waiting.
  CHECK(daemon.arenactl({"stop", "nobody", "--no-wait"}).code == 4);

  const Finished taken = daemon.arenactl({"start", "echo", "--name", "duel", "--dry-run"});
  CHECK(taken.code == 6);
  CHECK(daemon.arenactl({"start", "nogame", "--dry-run"}).code == 2);
  CHECK(daemon.arenactl({"start", "echo", "--name", "third", "--dry-run"}).code == 0);
  CHECK(holds(daemon.arenactl({"start", "echo", "--name", "third", "--no-wait"}).out, "third: has begun to start ("));
  CHECK(daemon.becomes("third", [](const ArenaFacts& arena) { return arena.state == "running"; }));

  // Those that rest already when this is told are told of too.
  const Finished stopped = daemon.arenactl({"stop", "--all", "--yes", "--no-wait"});
  CHECK(stopped.code == 0);
  for (const char* name : {"duel: has begun; it is ", "other: has begun; it is ", "third: has begun; it is "}) {
    CAPTURE(stopped.out);
    CHECK(holds(stopped.out, name));
  }
}

TEST_CASE("an arena whose code is being changed is not restarted or pinned meanwhile, and can be stopped") {
  Daemon daemon(ledger_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  const std::vector<std::string> reload{"reload", "ledger", module_path("ledger_good"), "--probation", "600s", "--no-wait"};
  CHECK(daemon.arenactl(reload).code == 0);
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.probation; }));
  const uint64_t epoch = daemon.arena("duel").epoch;
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"restart", "duel"}, std::vector<std::string>{"pin", "duel", "1.0"},
        std::vector<std::string>{"pin", "duel", "2.0-good"}}) {
    CAPTURE(asked.front());
    const Finished refused = daemon.arenactl(asked);
    CHECK(refused.code == 6);
    CHECK(
        refused.err ==
        "arenactl: duel: its code was changed, and it is on probation: ask again when that is over (arenactl status duel), or "
        "stop it now (arenactl stop duel)\n");
  }
  CHECK(daemon.arenactl({"list", "duel", "-o", "pinned", "--no-header"}).out == "no\n");
  const Finished another = daemon.arenactl(reload);
  CHECK(another.code == 6);
  CHECK(holds(another.err,
              "a rollout of ledger is not over yet: ask again when it is (arenactl rollout status ledger), or end "
              "it (arenactl rollout abort ledger)"));
  CHECK(daemon.arenactl({"snapshot", "duel"}).code == 6);
  CHECK(daemon.arena("duel").epoch == epoch);
  CHECK(daemon.arena("duel").probation);
  CHECK(daemon.arenactl({"stop", "duel"}).out == "duel: stopped\n");
  REQUIRE(daemon.restart("duel").ok());
  CHECK(daemon.arena("duel").epoch > epoch);
}

TEST_CASE("an arena that drains is not restarted meanwhile, and can be stopped") {
  Daemon daemon(ledger_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  const uint64_t epoch = daemon.arena("duel").epoch;
  Waiting drain(daemon, {"drain", "duel", "--deadline", "600s"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  const Finished refused = daemon.arenactl({"restart", "duel"});
  const uint64_t epoch_then = daemon.arena("duel").epoch;
  const Finished stopped = daemon.arenactl({"stop", "duel"});
  const Finished drained = drain.finish();
  CHECK(refused.code == 6);
  CHECK(refused.err ==
        "arenactl: duel: it is draining: take that back first (arenactl undrain duel), or stop it now (arenactl stop duel)\n");
  CHECK(epoch_then == epoch);
  CHECK(stopped.out == "duel: stopped\n");
  CHECK(drained.out == "duel: stopped\n");
  REQUIRE(daemon.restart("duel").ok());
  CHECK(daemon.arena("duel").state == "running");
}

TEST_CASE("an arena that is drained while it has no worker is told when it has one") {
  Daemon daemon(
      "[restart]\nintensity = 10\nwindow_ms = 600000\nfirst_delay_ms = 3000\nmax_delay_ms = 3000\nhealthy_ms = 600000\n" +
      echo_section());
  daemon.start();
  daemon.start_arena("duel");
  // The first death of a row has no delay.
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  daemon.kill_worker("duel");
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "backoff"; }));
  CHECK(daemon.arenactl({"drain", "duel", "--deadline", "600s"}).out == "duel: ended\n");
}

TEST_CASE("how much of a core an arena takes is told of the last second, and of which process") {
  Daemon daemon(restarts(100) + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  const auto shown = [&](const std::string& columns) {
    const Finished told = daemon.arenactl({"list", "duel", "-o", columns, "--no-header"});
    CHECK(told.code == 0);
    return told.out;
  };
  CHECK(eventually([&] { return holds(shown("cpu"), "%"); }));
  CHECK(shown("cpu-time") != "-\n");
  CHECK(holds(daemon.arenactl({"status", "duel"}).out, "% of a core in the last second\n"));
  const Finished json = daemon.arenactl({"list", "duel", "-o", "cpu,cpu-time", "--json"});
  CHECK(holds(json.out, "\"cpu_percent\":"));
  CHECK(holds(json.out, "\"cpu_ns\":"));
  REQUIRE(daemon.stop_arena("duel").ok());
  CHECK(daemon.arenactl({"list", "duel", "--finished", "-o", "cpu,cpu-time", "--no-header"}).out == "-  -\n");
}

TEST_CASE("a shutdown saves every arena and ends arenad") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 10; ++i) ann.say();
  REQUIRE(ann.hears_all());
  const uint64_t frame = daemon.arena("duel").frame;
  const Finished told = daemon.arenactl({"shutdown", "--yes"});
  CHECK(told.code == 0);
  CHECK(told.out == "arenad is shutting down; arenas that are saved: 1\n");
  daemon.await_end();
  CHECK(daemon.has_logged("an operator ends arenad"));
  CHECK(daemon.has_logged("stopped"));
  daemon.start();
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "running"; }));
  CHECK(daemon.arena("duel").frame >= frame);
}

TEST_CASE("signals: a look at everything, another program, and one that only is noted") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  const ArenaFacts before = daemon.arena("duel");
  REQUIRE(::kill(daemon.pid(), SIGQUIT) == 0);
  CHECK(daemon.has_logged("1 arena: 1 running"));
  CHECK(daemon.has_logged("arena=duel game=echo epoch=1 pid=" + std::to_string(before.pid) + " msg=\"it is running\""));
  REQUIRE(::kill(daemon.pid(), SIGUSR1) == 0);
  CHECK(daemon.has_logged("there is no log file to open again"));
  REQUIRE(::kill(daemon.pid(), SIGUSR2) == 0);
  CHECK(eventually([&] {
    const Finished events = daemon.arenactl({"events", "--type", "arenad-upgraded"});
    return events.code == 0 && holds(events.out, "arenad-upgraded");
  }));
  CHECK(daemon.arena("duel").pid == before.pid);
  CHECK(daemon.arena("duel").epoch == before.epoch);
}
