// What a game is told, and whom it does not want: the same for a game in C++ and one in Python.
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

struct Kind {
  std::string game;
  std::string hz;
};

const std::vector<Kind> kKinds = {
    {"echo", "0"},
    {"echo", "60"},
#ifdef ARENAD_TEST_PYTHON_GAMES
    {"echo_py", "0"},
    {"echo_py", "60"},
#endif
};

std::string sections(const std::string& game) {
  return "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
         "[hang]\nhard_limit_ms = 1000\n[snapshot]\ninterval_ms = 100\n" +
         game_section(game, module_path(game));
}

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

// Calls check(daemon, ann), who plays in the arena `duel`, for each kind of game.
template <class Check>
void for_each_kind(Check check) {
  for (const Kind& kind : kKinds) {
    INFO(kind.game << " " << kind.hz);
    Daemon daemon(sections(kind.game));
    daemon.start();
    daemon.start_arena("duel", {{"hz", kind.hz}}, kind.game);
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 3);
    check(daemon, ann);
  }
}

Finished tell(const Daemon& daemon, const std::string& name, const std::string& text = "") {
  return daemon.arenactl({"tell", "duel", name, text});
}

json state_of(const Daemon& daemon) {
  // What was done a moment ago comes with the next snapshot.
  REQUIRE(daemon.arenactl({"snapshot", "duel"}).code == 0);
  return json::parse(daemon.arenactl({"state", "duel", "--json"}).out)["state"];
}

}  // namespace

TEST_CASE("a game is told something once, whatever dies, and its reply comes back") {
  for_each_kind([](Daemon& daemon, Player& ann) {
    for (int count = 1; count <= 12; ++count) {
      const Finished told = tell(daemon, "count");
      INFO(told.err);
      CHECK(told.code == 0);
      CHECK(told.out == "duel: " + std::to_string(count) + "\n");
      if (count % 3 != 0) continue;
      const uint64_t epoch = daemon.kill_worker("duel");
      REQUIRE(daemon.runs_again("duel", epoch));
    }
    play(ann, 3);
    CHECK(state_of(daemon)["told"] == 12);
    CHECK(daemon.arena("duel").divergences == 0);
  });
}

TEST_CASE("what a game does not do, or dies of, is told, and leaves it as it was") {
  for_each_kind([](Daemon& daemon, Player& ann) {
    CHECK(tell(daemon, "count").out == "duel: 1\n");
    const Finished unknown = tell(daemon, "dance");
    CHECK(unknown.code == 6);
    CHECK(unknown.err == "arenactl: duel: what is dance?\n");
    for (const auto& [name, text] :
         {std::pair{"misbehave", "segv"}, {"misbehave", "exit"}, {"raise", ""}, {"misbehave", "hang"}}) {
      INFO(std::string(name) << " " << std::string(text));
      const uint64_t deaths = daemon.arena("duel").restarts_total;
      ann.say();
      const Finished told = tell(daemon, name, text);
      CHECK(told.code == 1);
      CHECK(told.err == "arenactl: duel: the arena's worker has died of it, and was recovered as it was before\n");
      play(ann, 2);
      CHECK(daemon.arena("duel").restarts_total == deaths + 1);
      CHECK(eventually([&, signal = std::string("; it applied the signal ") + name] {
        const auto all = crashes(daemon, "duel");
        return all.size() == deaths + 1 && all[0].cause.ends_with(signal);
      }));
    }
    CHECK(tell(daemon, "count").out == "duel: 2\n");
    CHECK(daemon.arena("duel").restarts == 0);
    CHECK(daemon.arena("duel").quarantined == 0);
    CHECK(daemon.arena("duel").divergences == 0);
    // Bad names, and too much.
    CHECK(tell(daemon, "no such").code == 2);
    CHECK(tell(daemon, std::string(65, 'a')).code == 2);
    CHECK(tell(daemon, "count", std::string(8193, 'a')).code == 2);
    CHECK(tell(daemon, "count", std::string(8192, 'a')).out == "duel: 3\n");
    CHECK(daemon.stop_arena("duel").ok());
    CHECK(tell(daemon, "count").code == 6);
  });
}

TEST_CASE("what a game is told while its code is changed is done, or refused and not done") {
  Daemon daemon(sections("echo"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "20"}}, "echo");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  const std::string arenactl = std::string("'" ARENAD_TEST_ARENACTL "' --socket '") + daemon.socket() + "' ";
  size_t done = 0;
  for (int round = 0; round < 4; ++round) {
    const std::filesystem::path module = daemon.folder() / ("echo" + std::to_string(round) + ".so").c_str();
    write_file(module, read_file(module_path("echo")) + std::to_string(round));  // the same game, and another file
    // More than are decided before the old code finishes: one in a frame.
    const std::string script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do " + arenactl + "tell duel count & done; " + arenactl +
                               "reload echo '" + module.string() + "' >reload.txt; wait";
    const Finished all = run_to_end({"/bin/sh", "-c", script}, daemon.folder());
    INFO(all.out << all.err);
    CHECK(all.err.find("died") == std::string::npos);
    play(ann, 3);
    for (size_t at = all.out.find("duel: "); at != std::string::npos; at = all.out.find("duel: ", at + 1)) ++done;
  }
  CHECK(state_of(daemon)["told"] == done);
  CHECK(daemon.arena("duel").divergences == 0);
}

TEST_CASE("whom a game kicks leaves it, and whom it does not let in it never hears of") {
  for_each_kind([](Daemon& daemon, Player& ann) {
    {
      Player ben(daemon.socket(), "duel", "ben");
      play(ben, 3);
      CHECK(tell(daemon, "kick", "1").out == "duel: kicked\n");
      REQUIRE(ben.listens_until([&] { return ben.is_gone(); }));
      CHECK(ben.departures()[0].state == "kicked");
      CHECK(ben.departures()[0].reason == "an operator has said so");
    }
    REQUIRE(ann.listens_until([&] { return !ann.departed().empty(); }));
    CHECK(ann.departed()[0].seat == 1);
    CHECK(ann.departed()[0].reason == 3);
    CHECK(tell(daemon, "kick", "1").out == "duel: nobody is there\n");
    CHECK(tell(daemon, "ban", "ben").code == 0);
    {
      Player ben(daemon.socket(), "duel", "ben");
      for (int i = 0; i < 5; ++i) ben.try_say();
      REQUIRE(ben.listens_until([&] { return ben.is_gone(); }));
      CHECK(ben.departures()[0].state == "denied");
      CHECK(ben.departures()[0].reason == "you are banned");
      CHECK(ben.heard() == 0);
    }
    // All of it again from the snapshot before, and from the checkpoint.
    const uint64_t epoch = daemon.kill_worker("duel");
    REQUIRE(daemon.runs_again("duel", epoch));
    Player cat(daemon.socket(), "duel", "cat");
    play(cat, 3);
    play(ann, 3);
    const json state = state_of(daemon);
    CHECK(state["kicked"] == 1);
    CHECK(state["joins"] == 3);
    CHECK(state["left"] == 0);
    CHECK(state["dropped"] == 0);
    CHECK(daemon.arena("duel").divergences == 0);
  });
}

TEST_CASE("a game's state is shown by the names of its fields") {
  Daemon daemon(sections("echo"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 7);
  const json state = state_of(daemon);
  CHECK(state["applied"] == 7);
  CHECK(state["last"][0] == 7);
  const Finished text = daemon.arenactl({"state", "duel"});
  CHECK(text.code == 0);
  CHECK(text.out.find("echo 1.0, State\n") != std::string::npos);
  CHECK(text.out.find("applied = 7") != std::string::npos);
  CHECK(daemon.arenactl({"state", "dool"}).code == 4);
  CHECK(daemon.arenactl({"state", ""}).code == 2);
  CHECK(daemon.stop_arena("duel").ok());
}
