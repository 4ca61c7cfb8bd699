// New code under running matches: what takes over, what is taken back, and that nobody loses or hears anything twice by it.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>

#include "ipc/control_client.h"
#include "ipc/crash_point.h"
#include "tests/real/daemon.h"
#include "tests/real/played_matches.h"

using namespace arenad;
using namespace arenad::test;

namespace {

const std::string kConfig =
    "[restart]\nintensity = 100\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
    "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 500\n" +
    game_section("ledger", module_path("ledger"), "snapshot_interval_ms = 20\n");

struct RolloutFacts {
  std::string state;
  std::string error;
  uint64_t total = 0;
  uint64_t passed = 0;
  bool is_over = false;
  std::vector<std::string> failures;
};

RolloutFacts facts_of(wire::Rollout::Reader from) {
  RolloutFacts facts;
  facts.state = from.getState();
  facts.total = from.getTotal();
  facts.passed = from.getPassed();
  facts.is_over = from.getIsOver();
  for (const auto failure : from.getFailures()) facts.failures.emplace_back(failure.getWhy());
  return facts;
}

struct Wish {
  std::string module;
  uint32_t canary = 1;
  uint32_t batch = 100;
  uint64_t probation_ms = 300;
  uint64_t probation_frames = 20;
  wire::OnFailure on_failure = wire::OnFailure::STOP;
  bool dry_run = false;
};

RolloutFacts reload(Daemon& daemon, const Wish& wish) {
  const std::string path = module_path(wish.module);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file);
  const int fd = file.get();
  ControlClient control = daemon.connect();
  auto answer = control.call(
      [&](wire::Request::Builder request) {
        auto to = request.initReload();
        to.setGame("ledger");
        to.setFile(wish.module + ".so");
        to.setCanary(wish.canary);
        to.setBatch(wish.batch);
        to.setProbationMs(wish.probation_ms);
        to.setProbationFrames(wish.probation_frames);
        to.setOnFailure(wish.on_failure);
        to.setDryRun(wish.dry_run);
      },
      {&fd, 1}, kPatienceMs);
  if (!answer) return {.state = "refused", .error = answer.error().text()};
  return facts_of(answer->root().getReply().getRollout());
}

RolloutFacts rollout(Daemon& daemon) {
  ControlClient control = daemon.connect();
  auto answer = control.call([](wire::Request::Builder request) { request.setRollouts("ledger"); }, {}, kPatienceMs);
  REQUIRE(answer.ok());
  const auto rollouts = answer->root().getReply().getRollouts();
  return rollouts.size() == 0 ? RolloutFacts{} : facts_of(rollouts[0]);
}

std::string code_of(Daemon& daemon, const std::string& arena) {
  ControlClient control = daemon.connect();
  auto answer = control.call([&](wire::Request::Builder request) { select_one(request.initStatus(), arena); }, {}, kPatienceMs);
  REQUIRE(answer.ok());
  return answer->root().getReply().getStatus().getArenas()[0].getGameVersion();
}

bool is_on_probation(Daemon& daemon, const std::string& arena) {
  ControlClient control = daemon.connect();
  auto answer = control.call([&](wire::Request::Builder request) { select_one(request.initStatus(), arena); }, {}, kPatienceMs);
  REQUIRE(answer.ok());
  return answer->root().getReply().getStatus().getArenas()[0].getProbation();
}

// Arenas with two players each, who play all the time.
class Matches : public PlayedMatches {
 public:
  Matches(Daemon& daemon, int count, const Params& params) : PlayedMatches(daemon) {
    for (int i = 0; i < count; ++i) start("match-" + std::to_string(i), params);
  }
  RolloutFacts play_to_the_end_of_rollout() {
    RolloutFacts facts;
    CHECK(play_until([&] {
      facts = rollout(daemon());
      return facts.is_over;
    }));
    return facts;
  }
};

}  // namespace

TEST_CASE("a good version takes over everywhere, and nobody notices") {
  for (const Params& params : {Params{}, Params{{"hz", "60"}}}) {
    Daemon daemon(kConfig);
    daemon.start();
    Matches matches(daemon, 5, params);
    for (int i = 0; i < 20; ++i) matches.play();
    const RolloutFacts begun = reload(daemon, {.module = "ledger_good"});
    CHECK(begun.error == "");
    CHECK(begun.total == 5);
    const RolloutFacts ended = matches.play_to_the_end_of_rollout();
    CHECK(ended.state == "done");
    CHECK(ended.passed == 5);
    CHECK(ended.failures.empty());
    matches.check();
    CHECK(matches.times_rolled_back() == 0);
    for (const std::string& name : matches.names()) {
      CHECK(code_of(daemon, name) == "2.0-good");
      CHECK(daemon.arena(name).restarts_total == 0);
      daemon.runs_again(name, daemon.kill_worker(name));
      CHECK(code_of(daemon, name) == "2.0-good");
    }
    matches.check();
    daemon.start_arena("new", params, "ledger");
    CHECK(code_of(daemon, "new") == "2.0-good");
  }
}

TEST_CASE("a bad version is taken back where it was tried, and nowhere else tried") {
  struct Bad {
    std::string module;
    std::string why;
    bool was_live;
  };
  const Bad all[] = {{"ledger_refuses", "not for me", false},
                     {"ledger_dies_at_once", "signal", true},
                     {"ledger_dies_later", "signal", true},
                     {"ledger_hangs", "did not move", true}};
  for (const Bad& bad : all) {
    for (const Params& params : {Params{}, Params{{"hz", "60"}}}) {
      CAPTURE(bad.module);
      CAPTURE(params.size());
      Daemon daemon(kConfig);
      daemon.start();
      Matches matches(daemon, 3, params);
      for (int i = 0; i < 20; ++i) matches.play();
      CHECK(reload(daemon, {.module = bad.module, .probation_ms = 20'000, .probation_frames = 1000}).error == "");
      const RolloutFacts ended = matches.play_to_the_end_of_rollout();
      CHECK(ended.state == "failed");
      CHECK(ended.passed == 0);
      REQUIRE(ended.failures.size() == 1);
      CHECK(ended.failures[0].find(bad.why) != std::string::npos);
      CHECK(matches.play_until([&] { return daemon.arena("match-0").state == "running"; }));
      for (int i = 0; i < 20; ++i) matches.play();
      matches.check();
      CHECK(matches.times_rolled_back() == (bad.was_live ? 2 : 0));
      for (const std::string& name : matches.names()) CHECK(code_of(daemon, name) == "1.0");
      daemon.start_arena("new", params, "ledger");
      CHECK(code_of(daemon, "new") == "1.0");
      // All of it goes on as if nothing had been, also over a death.
      CHECK(daemon.runs_again("match-0", daemon.kill_worker("match-0")));
      matches.play();
      matches.check();
    }
  }
}

TEST_CASE("another state: a field more just works in both directions, a changed one is named or migrated") {
  Daemon daemon(kConfig);
  daemon.start();
  Matches matches(daemon, 2, {{"hz", "60"}});
  for (int i = 0; i < 20; ++i) matches.play();
  for (const std::string module : {"ledger_adds", "ledger", "ledger_migrates"}) {
    CAPTURE(module);
    CHECK(reload(daemon, {.module = module, .probation_ms = 100, .probation_frames = 5}).error == "");
    CHECK(matches.play_to_the_end_of_rollout().state == "done");
    matches.check();
    CHECK(daemon.runs_again("match-0", daemon.kill_worker("match-0")));
    matches.play();
    matches.check();
  }
  const RolloutFacts back = reload(daemon, {.module = "ledger"});
  CHECK(back.error.find("State.count @1 was Text and is UInt64") != std::string::npos);
  CHECK(code_of(daemon, "match-1") == "2.0-migrates");
  matches.play();
  matches.check();
}

TEST_CASE("one that fails behind the canary: with rollback_all everybody has the old version again") {
  Daemon daemon(kConfig);
  daemon.start();
  Matches matches(daemon, 4, {{"hz", "60"}});
  for (int i = 0; i < 20; ++i) matches.play();
  CHECK(reload(daemon, {.module = "ledger_good", .probation_ms = 100, .probation_frames = 5}).error == "");
  CHECK(matches.play_to_the_end_of_rollout().state == "done");
  CHECK(reload(daemon, {.module = "ledger", .batch = 1, .probation_ms = 2000, .on_failure = wire::OnFailure::ROLLBACK_ALL})
            .error == "");
  CHECK(matches.play_until([&] { return rollout(daemon).passed >= 1; }));
  // The next one that is on probation dies, of something else: that is a failure too.
  CHECK(matches.play_until([&] {
    for (const std::string& name : matches.names()) {
      if (!is_on_probation(daemon, name)) continue;
      daemon.kill_worker(name);
      return true;
    }
    return false;
  }));
  CHECK(matches.play_to_the_end_of_rollout().state == "failed");
  CHECK(matches.play_until([&] {
    return std::ranges::all_of(matches.names(), [&](const std::string& name) { return code_of(daemon, name) == "2.0-good"; });
  }));
  for (int i = 0; i < 20; ++i) matches.play();
  matches.check();
  daemon.start_arena("new", {}, "ledger");
  CHECK(code_of(daemon, "new") == "2.0-good");
}

TEST_CASE("arenad is stopped in order, or dies, while an arena is on probation: nothing is set back") {
  Daemon daemon(kConfig);
  daemon.start();
  Matches matches(daemon, 1, {{"hz", "60"}});
  for (int i = 0; i < 20; ++i) matches.play();
  CHECK(reload(daemon, {.module = "ledger_good", .probation_ms = 600'000}).error == "");
  CHECK(matches.play_until([&] { return code_of(daemon, "match-0") == "2.0-good"; }));
  for (int i = 0; i < 20; ++i) matches.play();
  matches.check();
  daemon.kill_arenad();
  daemon.start();
  CHECK(matches.play_until([&] { return daemon.arena("match-0").clients == 2; }));
  for (int i = 0; i < 20; ++i) matches.play();
  matches.check();
  CHECK(code_of(daemon, "match-0") == "2.0-good");
  const ArenaFacts before = daemon.arena("match-0");
  daemon.stop();
  daemon.start();
  CHECK(daemon.becomes("match-0", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  CHECK(daemon.arena("match-0").frame >= before.frame);
  CHECK(daemon.arena("match-0").events == before.events);
  CHECK(code_of(daemon, "match-0") == "2.0-good");
  CHECK(daemon.facts().notices.empty());
}

TEST_CASE("a version that never says what its state is keeps nobody waiting") {
  Daemon daemon(kConfig + "[arenas]\nready_timeout_ms = 4000\n");
  daemon.start();
  Matches matches(daemon, 1, {});
  const RolloutFacts refused = reload(daemon, {.module = "hanging_schema"});
  CHECK(refused.state == "refused");
  CHECK(refused.error.find("it did not compare the states' types within 4000 ms") != std::string::npos);
  matches.play();
  matches.check();
  CHECK(code_of(daemon, "match-0") == "1.0");
  // Whoever is asked next answers again.
  CHECK(reload(daemon, {.module = "ledger_good", .dry_run = true}).total == 1);
}

TEST_CASE("what cannot be a version is refused, and changes nothing") {
  Daemon daemon(kConfig);
  daemon.start();
  Matches matches(daemon, 1, {});
  for (const std::string module : {"no_entry", "other_abi", "crashing_constructor"}) {
    CAPTURE(module);
    const RolloutFacts refused = reload(daemon, {.module = module});
    CHECK(refused.state == "refused");
    CHECK(refused.error != "");
    matches.play();
    matches.check();
    CHECK(code_of(daemon, "match-0") == "1.0");
  }
  const RolloutFacts changed = reload(daemon, {.module = "ledger_changes"});
  CHECK(changed.state == "refused");
  CHECK(changed.error.find("State.count @1 was UInt64 and is Text") != std::string::npos);
  CHECK(reload(daemon, {.module = "ledger_good", .dry_run = true}).total == 1);
  CHECK(code_of(daemon, "match-0") == "1.0");
  CHECK(daemon.arena("match-0").epoch == 1);
}
