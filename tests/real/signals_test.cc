// What a game is told, and whom it does not want: the same for a game in C++ and one in Python.
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "ipc/text.h"
#include "tests/real/reports.h"
#include "tests/support/why_not.h"

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

// Told over a connection on which another request has been answered since: arenad has taken it up. Gives its request.
uint64_t begin_to_tell(ControlClient& control, const std::string& name) {
  auto posted = control.post(
      [&](wire::Request::Builder request) {
        auto signal = request.initTell();
        select_one(signal.initSelection(), "duel");
        signal.setName(name);
      },
      {});
  REQUIRE(posted);
  REQUIRE(control.call([](wire::Request::Builder request) { request.setVersion(); }, {}, kPatienceMs));
  return *posted;
}

// What came of it; of a refusal the text.
Result<std::string> answer_to(ControlClient& control, uint64_t posted) {
  auto answer = control.wait_for_reply(posted, kPatienceMs);
  REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  const auto items = answer->root().getReply().getItems();
  REQUIRE(items.size() == 1);
  if (items[0].isOk()) return text_of(items[0].getOk());
  return make_error(error_code_of(items[0].getError().getCode()), text_of(items[0].getError().getMessage()));
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

TEST_CASE("what waits when its arena stops is refused, and not done") {
  const std::string patience = "[arenas]\nstop_timeout_ms = 300\n[hang]\nhard_limit_ms = 60000\n" + echo_section();
  Daemon daemon(patience);
  daemon.start();
  daemon.start_arena("duel");
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 3);
  }
  ControlClient control = daemon.connect();
  const auto told_when_stopped = [&] {
    ::kill(daemon.arena("duel").pid, SIGSTOP);
    return begin_to_tell(control, "count");
  };
  SUBCASE("an operator stops it") {
    const uint64_t posted = told_when_stopped();
    (void)daemon.stop_arena("duel");
    const auto answer = answer_to(control, posted);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::refused);
    CHECK(answer.error().message == "it is stopped");
    REQUIRE(daemon.restart("duel").ok());
  }
  SUBCASE("its restarts are used up") {
    daemon.reconfigure("[restart]\nintensity = 0\n" + patience);
    REQUIRE(daemon.arenactl({"reload-config"}).code == 0);
    const uint64_t posted = told_when_stopped();
    ::kill(daemon.arena("duel").pid, SIGKILL);
    const auto answer = answer_to(control, posted);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::refused);
    CHECK(answer.error().message == "it is failed");
    REQUIRE(daemon.restart("duel").ok());
  }
  SUBCASE("arenad is stopped") {
    const uint64_t posted = told_when_stopped();
    ::kill(daemon.pid(), SIGTERM);
    const auto answer = answer_to(control, posted);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::refused);
    CHECK(answer.error().message == "it is being saved");
    daemon.await_end();
    daemon.start();
  }
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "running"; }));
  CHECK(state_of(daemon)["told"] == 0);
  CHECK(tell(daemon, "count").out == "duel: 1\n");
}

TEST_CASE("what a frame had begun with when its arena failed is told so, and done when the arena goes on") {
  Daemon daemon("[restart]\nintensity = 0\n[hang]\nhard_limit_ms = 60000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  ControlClient control = daemon.connect();
  const std::string cause = (daemon.folder() / "work" / "cause").string();
  uint64_t told = 0;
  // Whether what came while the worker was stopped is of one frame is the scheduler's to say: mostly it is.
  for (bool has_begun = false; !has_begun;) {
    REQUIRE(told == 0);
    const pid_t worker = daemon.arena("duel").pid;
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 1);
    write_file(cause, "");
    ::kill(worker, SIGSTOP);
    misbehave(ann, {.how = "hang", .while_file = cause, .times = Wish::Times::once});
    const uint64_t posted = begin_to_tell(control, "count");
    ::kill(worker, SIGCONT);
    REQUIRE(eventually([&] { return !std::filesystem::exists(cause); }));
    ::kill(worker, SIGKILL);
    const auto answer = answer_to(control, posted);
    REQUIRE_FALSE(answer.ok());
    has_begun = answer.error().code == ErrorCode::failed;
    CHECK(answer.error().message ==
          (has_begun ? "it is failed, and a frame had begun with this: it is applied if the arena goes on" : "it is failed"));
    told += has_begun ? 1 : 0;
    REQUIRE(daemon.restart("duel").ok());
    CHECK(state_of(daemon)["told"] == told);
  }
  CHECK(tell(daemon, "count").out == "duel: 2\n");
  CHECK(daemon.arena("duel").divergences == 0);
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

TEST_CASE("who is not let in, and has left before it hears so, takes nobody's seat away") {
  for_each_kind([](Daemon& daemon, Player& ann) {
    CHECK(tell(daemon, "ban", "eve").code == 0);
    std::vector<std::unique_ptr<Player>> others;
    for (const char* name : {"ben", "cat", "dan", "fay", "gil", "hal", "ida"}) {
      others.push_back(std::make_unique<Player>(daemon.socket(), "duel", name));
      play(*others.back(), 1);
    }
    const Seat seat = others[0]->arena().seat();
    const auto one_seat_is_free = [&] {
      return daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.clients == 7; });
    };
    for (int i = 0; i < 10; ++i) {
      others[0].reset();
      REQUIRE(one_seat_is_free());
      { Player eve(daemon.socket(), "duel", "eve"); }
      REQUIRE(one_seat_is_free());
      others[0] = std::make_unique<Player>(daemon.socket(), "duel", "ben");
      play(*others[0], 1);
      CHECK(others[0]->arena().seat() == seat);
    }
    play(ann, 3);
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
