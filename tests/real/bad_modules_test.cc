// Modules that cannot be used, and games that do not come to life: the start is refused with the reason, and nothing else changes.
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// A sanitizer ends the process itself.
#ifdef ARENAD_SANITIZED
constexpr const char* kCrashedLoading = "crashed while it was loaded (code=exited, status=1";
#else
constexpr const char* kCrashedLoading = "crashed while it was loaded (signal=SEGV";
#endif

constexpr int kFailed = 1;
constexpr int kRefused = 6;
constexpr const char* kQuick = "[arenas]\nready_timeout_ms = 4000\n[spares]\nper_game = 1\n";

struct BadStart {
  const char* title;
  const char* game;
  const char* parameter;  // of init=
  int exit_code;
  const char* reason;  // what must be said
};

// A good arena that plays while something else fails.
class Bystander {
 public:
  explicit Bystander(Daemon& daemon) : daemon_(daemon) {
    daemon.start_arena("good");
    epoch_ = daemon.arena("good").epoch;
    player_ = std::make_unique<Player>(daemon.socket(), "good", "ann");
  }
  void check_unharmed() {
    for (int i = 0; i < 10; ++i) player_->say();
    CHECK(player_->hears_all());
    CHECK(player_->complaint() == "");
    const ArenaFacts facts = daemon_.arena("good");
    CHECK(facts.state == "running");
    CHECK(facts.epoch == epoch_);
    CHECK(facts.restarts_total == 0);
  }

 private:
  Daemon& daemon_;
  uint64_t epoch_ = 0;
  std::unique_ptr<Player> player_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void check_refused(Daemon& daemon, const BadStart& bad) {
  CAPTURE(bad.title);
  const Finished told = daemon.arenactl({"start", bad.game, "--name", "bad", "--param", std::string("init=") + bad.parameter});
  CAPTURE(told.err);
  CHECK(told.code == bad.exit_code);
  CHECK(told.out == "");
  CHECK(holds(told.err, bad.reason));

  const auto answer = daemon.try_start_arena("bad", {{"init", bad.parameter}}, bad.game);
  REQUIRE_FALSE(answer.ok());
  CAPTURE(answer.error().text());
  CHECK((answer.error().code == ErrorCode::refused) == (bad.exit_code == kRefused));
  CHECK(holds(answer.error().text(), bad.reason));
  // Nothing of it is kept.
  CHECK_FALSE(daemon.knows("bad"));
}

}  // namespace

TEST_CASE("modules that cannot be used") {
  PrivateFolder modules;
  write_file(modules / "text.so", "This is no shared object.\n");
  Daemon daemon(kQuick + echo_section() + game_section("missing", (modules / "missing.so").string()) +
                game_section("text", (modules / "text.so").string()) + game_section("no-entry", module_path("no_entry")) +
                game_section("other-abi", module_path("other_abi")) +
                game_section("crashing", module_path("crashing_constructor")) +
                game_section("hanging", module_path("hanging_constructor")));
  daemon.start();
  Bystander bystander(daemon);
  for (const BadStart& bad : {
           BadStart{"missing", "missing", "ok", kRefused, "No such file"},
           BadStart{"a text file", "text", "ok", kRefused, "text.so"},
           BadStart{"no entry symbol", "no-entry", "ok", kRefused, "does not export arenad_game_module"},
           BadStart{"another ABI", "other-abi", "ok", kRefused, "ABI version 2"},
           BadStart{"a constructor that crashes", "crashing", "ok", kRefused, kCrashedLoading},
           BadStart{"a constructor that hangs", "hanging", "ok", kRefused, "not loaded within 4000 ms"},
       }) {
    check_refused(daemon, bad);
    bystander.check_unharmed();
  }
}

#ifndef ARENAD_SANITIZED  // sanitizers need a wider cage
TEST_CASE("modules that make processes while they are loaded") {
  Daemon daemon(kQuick + echo_section() + game_section("leaving", module_path("leaving_constructor")) +
                game_section("forking", module_path("forking_constructor")));
  daemon.start();
  Bystander bystander(daemon);
  check_refused(daemon, {"its own way", "leaving", "ok", kRefused, "it has left processes behind while it was loaded"});
  check_refused(daemon, {"the usual way", "forking", "ok", kRefused, "signal=SYS, a system call that its cage forbids"});
  // Nothing of it is left: of arenad's children only the good one's.
  CHECK(eventually([&] {
    for (const pid_t child : children_of(daemon.pid())) {
      if (name_of(child) != "good" && name_of(child) != "spare:echo" && name_of(child) != "template") return false;
    }
    return true;
  }));
  bystander.check_unharmed();
}
#endif

TEST_CASE("games that do not come to life") {
  Daemon daemon(kQuick + echo_section());
  daemon.start();
  Bystander bystander(daemon);
  for (const BadStart& bad : {
           BadStart{"on_init throws", "echo", "throw", kRefused, "parameter init=throw: there is no such match"},
           BadStart{"on_init crashes", "echo", "crash", kFailed, "signal=SEGV"},
           BadStart{"on_init hangs", "echo", "hang", kFailed, "not ready within its time"},
       }) {
    check_refused(daemon, bad);
    bystander.check_unharmed();
  }
}

TEST_CASE("a first state that does not fit is refused") {
  Daemon daemon(echo_section());
  daemon.start();
  Bystander bystander(daemon);
  const auto answer = daemon.try_start_arena("bad", {{"grow", "100000"}});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::refused);
  CHECK(holds(answer.error().text(), "does not fit in a snapshot"));
  CHECK_FALSE(daemon.knows("bad"));
  bystander.check_unharmed();
}

TEST_CASE("a state that does not fit later on is told, and the arena goes on") {
  Daemon daemon("[snapshot]\ninterval_ms = 10\n" + echo_section());
  daemon.start();
  daemon.start_arena("big");
  Player player(daemon.socket(), "big", "ann");
  REQUIRE(player.arena().send<echo::Grow>([](echo::Grow::Builder grow) { grow.setBytes(100'000); }) == Sent::ok);
  player.say();
  CHECK(player.hears_all());
  CHECK(daemon.becomes("big", [](const ArenaFacts& facts) { return facts.snapshots_failed > 0; }));
  // From the snapshot before it grew, nothing is lost.
  REQUIRE(daemon.runs_again("big", daemon.kill_worker("big")));
  player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
  CHECK(player.ask().last[player.arena().seat()] == 2);
}

TEST_CASE("a game that arenad does not know, and parameters that the game refuses") {
  Daemon daemon(echo_section());
  daemon.start();
  const Finished unknown = daemon.arenactl({"start", "chess"});
  CHECK(unknown.code == 2);
  CHECK(holds(unknown.err, "no game chess"));
  const Finished refused = daemon.arenactl({"start", "echo", "--param", "hz=fast"});
  CHECK(refused.code == kRefused);
  CHECK(holds(refused.err, "hz=fast"));
  CHECK(daemon.facts().running == 0);
}

TEST_CASE("a module that was repaired is loaded at the next start") {
  PrivateFolder modules;
  write_file(modules / "game.so", "not yet\n");
  Daemon daemon(game_section("echo", (modules / "game.so").string()));
  daemon.start();
  CHECK_FALSE(daemon.try_start_arena("a").ok());
  std::filesystem::remove(modules / "game.so");
  std::filesystem::copy_file(module_path("echo"), modules / "game.so");
  CHECK(daemon.try_start_arena("a").ok());
}
