// A rollout that outlives arenad: wherever arenad is killed, the rollout ends as it would have, whoever waits for it is told, and nobody
// who plays loses or hears anything twice by it.
#include <algorithm>
#include <csignal>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/played_matches.h"

using namespace arenad;
using namespace arenad::test;

namespace {

std::string config_with(const std::string& module) {
  return "[restart]\nintensity = 100\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
         "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 500\n" +
         game_section("ledger", module_path(module), "snapshot_interval_ms = 20\n");
}

size_t times(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

struct RolloutFacts {
  uint64_t id = 0;
  std::string state;
  uint64_t total = 0;
  uint64_t passed = 0;
  uint64_t on_probation = 0;
  bool is_over = false;
  std::vector<std::string> failed;  // names
  std::vector<std::string> why;
};

struct ArenaCode {
  std::string version;
  bool on_probation = false;
  std::string state;
  std::string last_exit;
};

// arenactl, while something else goes on.
class Command {
 public:
  Command(Daemon& daemon, std::vector<std::string> arguments) : folder_(daemon.folder().path()) {
    arguments.insert(arguments.begin(), {ARENAD_TEST_ARENACTL, "--socket", daemon.socket()});
    program_.emplace(ProgramCall{arguments, folder_ / "work", folder_ / "command.out", folder_ / "command.err"});
  }
  bool ended() { return program_->ended(); }
  int code() {
    const auto exit = program_->wait();
    return exit && exit->how == Exit::How::exited ? exit->value : -1;
  }
  // arenad has answered it: it follows the rollout, and asks the next arenad if this one dies.
  [[nodiscard]] bool follows() const { return !read_file(folder_ / "command.out").empty(); }
  [[nodiscard]] std::string err() const { return read_file(folder_ / "command.err"); }

 private:
  std::filesystem::path folder_;
  std::optional<Program> program_;
};

// An arenad under a keeper, which starts it again.
struct KeptDaemon {
  KeptDaemon() { kept.start(); }
  Daemon kept{config_with("ledger"), Daemon::Parent::keeper};
};

// With players who play all the time.
class Matches : private KeptDaemon, public PlayedMatches {
 public:
  explicit Matches(int count) : PlayedMatches(kept) {
    for (int i = 0; i < count; ++i) start("match-" + std::to_string(i));
    for (int i = 0; i < 20; ++i) play();
  }
  void start(const std::string& name) { PlayedMatches::start(name, {{"hz", "60"}}); }

  std::vector<std::string> reload_command(const std::string& module, const std::string& batch, const std::string& probation,
                                          const std::string& on_failure = "stop") {
    return {"reload",  "ledger",       module_path(module), "--canary", "1",
            "--batch", batch,          "--probation",       probation,  "--probation-frames",
            "5",       "--on-failure", on_failure};
  }
  // The last one, as it stands now.
  RolloutFacts rollout() {
    ControlClient control = daemon().connect();
    auto answer = control.call([](wire::Request::Builder request) { request.setRollouts("ledger"); }, {}, kPatienceMs);
    REQUIRE(answer.ok());
    const auto rollouts = answer->root().getReply().getRollouts();
    if (rollouts.size() == 0) return {};
    const auto from = rollouts[0];
    RolloutFacts facts{
        from.getId(), from.getState(), from.getTotal(), from.getPassed(), from.getOnProbation(), from.getIsOver(), {}, {}};
    for (const auto failure : from.getFailures()) {
      facts.failed.emplace_back(failure.getName());
      facts.why.emplace_back(failure.getWhy());
    }
    return facts;
  }
  ArenaCode code(const std::string& name) {
    ControlClient control = daemon().connect();
    auto answer =
        control.call([&](wire::Request::Builder request) { select_one(request.initStatus(), name); }, {}, kPatienceMs);
    REQUIRE(answer.ok());
    const auto arena = answer->root().getReply().getStatus().getArenas()[0];
    return {arena.getGameVersion(), arena.getProbation(), arena.getState(), arena.getLastExit()};
  }
  bool all_run(const std::string& version) {
    return std::ranges::all_of(names(), [&](const std::string& name) { return code(name).version == version; });
  }
  // Empty: nobody is.
  std::string on_probation(const std::string& version) {
    for (const std::string& name : names()) {
      const ArenaCode now = code(name);
      if (now.on_probation && now.version == version && now.state == "running") return name;
    }
    return {};
  }
  std::string await_probation(const std::string& version) {
    std::string name;
    CHECK(play_until([&] { return !(name = on_probation(version)).empty(); }));
    return name;
  }
  std::string await_second_on_probation() {
    REQUIRE(play_until([&] { return rollout().passed >= 1; }));
    return await_probation("2.0-good");
  }
  // The canary may be on probation before the database has the rollout, and arenad answers only then.
  void await_answer(const Command& command) {
    REQUIRE(play_until([&] { return command.follows(); }));
  }
  int await_end(Command& command) {
    CHECK(play_until([&] { return command.ended(); }));
    return command.code();
  }
  // Its worker dies while no arenad is there.
  void kill_worker_and_arenad(const std::string& name) {
    const pid_t worker = daemon().arena(name).pid;
    REQUIRE(worker > 0);
    ::kill(daemon().pid(), SIGSTOP);
    ::kill(worker, SIGKILL);
    daemon().kill_arenad();
  }

  // As soon as all of them run again.
  void check() {
    CHECK(play_until([&] {
      return std::ranges::all_of(names(), [&](const std::string& name) {
        const ArenaFacts facts = daemon().arena(name);
        return facts.state == "running" && facts.clients == 2;
      });
    }));
    for (int i = 0; i < 10; ++i) play();
    PlayedMatches::check();
  }
};

}  // namespace

TEST_CASE("arenad is killed while the canary is on probation: the rollout goes on, and is done") {
  Matches matches(3);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "100%", "1s"));
  matches.await_answer(reload);
  const std::string canary = matches.await_probation("2.0-good");
  // An orderly handover is no exit that anybody needs to see.
  CHECK(matches.code(canary).last_exit == "");
  const RolloutFacts before = matches.rollout();
  CHECK(before.id == 1);
  matches.daemon().kill_arenad();
  const RolloutFacts after = matches.rollout();
  CHECK(after.id == before.id);
  CHECK(after.state == "canary");
  CHECK(after.total == 3);
  CHECK(after.on_probation == 1);
  CHECK(matches.await_end(reload) == 0);
  CHECK(matches.rollout().state == "done");
  CHECK(matches.rollout().passed == 3);
  CHECK(matches.all_run("2.0-good"));
  // Also of the two that this arenad has adopted, under a version whose template it has not loaded.
  CHECK(eventually([&] { return times(matches.daemon().log(), "its code is changed from 1.0 to 2.0-good") == 3; }));
  matches.check();
  // How it ended is known to the next arenad, too, and ids go on.
  matches.daemon().kill_arenad();
  CHECK(matches.rollout().state == "done");
  CHECK(matches.rollout().passed == 3);
  CHECK(matches.rollout().is_over);
  Command rollback(matches.daemon(),
                   {"rollback", "ledger", "--canary", "0", "--probation", "100ms", "--probation-frames", "5"});
  CHECK(matches.await_end(rollback) == 0);
  CHECK(matches.rollout().id == 2);
  CHECK(matches.all_run("1.0"));
  matches.check();
}

TEST_CASE("arenad is killed in a wave, and again and again: the rollout is done all the same") {
  Matches matches(5);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "2", "1s"));
  matches.await_answer(reload);
  CHECK(matches.await_second_on_probation() != "");
  // What the next arenad goes by is in the database: that is when scripts are told of it.
  CHECK(matches.play_until([&] {
    return matches.daemon().arenactl({"events", "--json", "--type", "rollout-step"}).out.find("rolling") != std::string::npos;
  }));
  matches.daemon().kill_arenad();
  CHECK(matches.rollout().state == "rolling");
  // New arenas get the new code: the canary had passed.
  matches.start("new");
  CHECK(matches.code("new").version == "2.0-good");
  // At moments that have nothing to do with how far it is.
  uint64_t next_ns = 0;
  CHECK(matches.play_until([&] {
    if (reload.ended()) return true;
    if (monotonic_ns() < next_ns) return false;
    matches.daemon().kill_arenad();
    next_ns = monotonic_ns() + 2500 * kMillisecond;
    return false;
  }));
  CHECK(reload.code() == 0);
  CHECK(matches.rollout().state == "done");
  CHECK(matches.rollout().failed.empty());
  CHECK(matches.all_run("2.0-good"));
  matches.check();
}

TEST_CASE("the canary dies on probation while no arenad is there: it has failed, and the rollout has") {
  Matches matches(3);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "100%", "20s"));
  matches.await_answer(reload);
  const std::string canary = matches.await_probation("2.0-good");
  matches.kill_worker_and_arenad(canary);
  CHECK(matches.await_end(reload) == 1);
  CHECK(reload.err().find(canary + ": it died in frame ") != std::string::npos);
  const RolloutFacts ended = matches.rollout();
  CHECK(ended.state == "failed");
  CHECK(ended.failed == std::vector<std::string>{canary});
  CHECK(matches.play_until([&] { return matches.all_run("1.0"); }));
  matches.check();
  matches.start("new");
  CHECK(matches.code("new").version == "1.0");
}

TEST_CASE("one dies behind the canary while no arenad is there: with stop the canary keeps it, new arenas do not get it") {
  Matches matches(3);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "1", "1s"));
  matches.await_answer(reload);
  const std::string second = matches.await_second_on_probation();
  matches.kill_worker_and_arenad(second);
  CHECK(matches.await_end(reload) == 1);
  const RolloutFacts ended = matches.rollout();
  CHECK(ended.state == "failed");
  CHECK(ended.passed == 1);
  CHECK(ended.failed == std::vector<std::string>{second});
  matches.start("new");
  CHECK(matches.code("new").version == "1.0");
  // Also after a death, and what is left can be taken back.
  matches.daemon().kill_arenad();
  matches.start("newer");
  CHECK(matches.code("newer").version == "1.0");
  CHECK_FALSE(matches.all_run("1.0"));
  // That may fail as well, and is asked for again: it never goes to a version that nobody wants.
  Command in_vain(matches.daemon(), {"rollback", "ledger", "--probation", "20s"});
  matches.daemon().kill_worker(matches.await_probation("1.0"));
  CHECK(matches.await_end(in_vain) == 1);
  CHECK(matches.play_until([&] { return matches.on_probation("1.0").empty(); }));
  CHECK_FALSE(matches.all_run("1.0"));
  Command rollback(matches.daemon(), {"rollback", "ledger", "--probation", "100ms", "--probation-frames", "5"});
  CHECK(matches.await_end(rollback) == 0);
  CHECK(matches.all_run("1.0"));
  matches.check();
}

TEST_CASE("arenad is killed while everything is taken back: everybody has the old code at the end") {
  Matches matches(4);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "1", "2s", "rollback-all"));
  matches.await_answer(reload);
  const std::string second = matches.await_second_on_probation();
  matches.daemon().kill_worker(second);
  SUBCASE("as soon as it begins") {
    REQUIRE(matches.play_until([&] {
      const RolloutFacts now = matches.rollout();
      return now.state == "rolling-back" && now.on_probation != 0;
    }));
  }
  SUBCASE("on the old code's probation") {
    // The one that failed has its old code without one.
    CHECK(matches.await_probation("1.0") != second);
  }
  matches.daemon().kill_arenad();
  CHECK(matches.await_end(reload) == 1);
  const RolloutFacts ended = matches.rollout();
  CHECK(ended.state == "failed");
  CHECK(ended.failed == std::vector<std::string>{second});
  CHECK(ended.passed == 0);
  CHECK(matches.all_run("1.0"));
  matches.check();
  matches.start("new");
  CHECK(matches.code("new").version == "1.0");
}

TEST_CASE("a worker dies while it is given back: it is given back once more") {
  Matches matches(3);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "1", "1s", "rollback-all"));
  matches.await_answer(reload);
  const std::string second = matches.await_second_on_probation();
  matches.daemon().kill_worker(second);
  std::string first;
  REQUIRE(matches.play_until([&] { return !(first = matches.on_probation("1.0")).empty() && first != second; }));
  SUBCASE("under arenad") {
    matches.daemon().kill_worker(first);
  }
  SUBCASE("while none is there") {
    matches.kill_worker_and_arenad(first);
  }
  CHECK(matches.await_end(reload) == 1);
  CHECK(matches.rollout().failed == std::vector<std::string>{second});
  CHECK(matches.all_run("1.0"));
  matches.check();
}

TEST_CASE("a rollout that is paused is paused under the next arenad; aborted, new arenas get the old code") {
  Matches matches(3);
  Command reload(matches.daemon(), matches.reload_command("ledger_good", "1", "2s"));
  matches.await_answer(reload);
  REQUIRE(matches.play_until([&] { return matches.rollout().passed >= 1; }));
  REQUIRE(matches.daemon().arenactl({"rollout", "pause", "ledger"}).code == 0);
  matches.daemon().kill_arenad();
  CHECK(matches.rollout().state == "paused");
  CHECK(matches.play_until([&] { return matches.rollout().on_probation == 0; }));
  const uint64_t passed = matches.rollout().passed;
  CHECK(passed < 3);
  SUBCASE("resumed") {
    REQUIRE(matches.daemon().arenactl({"rollout", "resume", "ledger"}).code == 0);
    CHECK(matches.await_end(reload) == 0);
    CHECK(matches.all_run("2.0-good"));
  }
  SUBCASE("aborted, because the configuration names another module since") {
    matches.daemon().stop();
    matches.daemon().reconfigure(config_with("ledger_adds"));
    matches.daemon().start();
    CHECK(matches.await_end(reload) == 1);
    CHECK(matches.rollout().state == "aborted");
    matches.daemon().start_arena("new", {}, "ledger");
    CHECK(matches.code("new").version == "2.0-adds");
    return;
  }
  SUBCASE("aborted") {
    REQUIRE(matches.daemon().arenactl({"rollout", "abort", "ledger"}).code == 0);
    CHECK(matches.await_end(reload) == 1);
    CHECK(matches.rollout().state == "aborted");
    CHECK(matches.rollout().passed == passed);
    matches.start("new");
    CHECK(matches.code("new").version == "1.0");
    Command rollback(matches.daemon(), {"rollback", "ledger", "--probation", "100ms", "--probation-frames", "5"});
    CHECK(matches.await_end(rollback) == 0);
    CHECK(matches.all_run("1.0"));
  }
  matches.check();
}

TEST_CASE("arenad is stopped in order in the middle of a rollout: it goes on when arenad runs again") {
  Matches matches(3);
  REQUIRE(matches.daemon()
              .arenactl({"reload", "ledger", module_path("ledger_good"), "--batch", "1", "--probation", "1s",
                         "--probation-frames", "5", "--no-wait"})
              .code == 0);
  CHECK(matches.await_second_on_probation() != "");
  matches.daemon().stop();
  matches.daemon().start();
  CHECK(eventually([&] { return matches.rollout().is_over; }));
  CHECK(matches.rollout().state == "done");
  CHECK(matches.all_run("2.0-good"));
}
