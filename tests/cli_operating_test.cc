// The real arenactl against an arenad that is not there: list, inspect, undrain, reset-failed, snapshot, kill, signal, tell, state, shutdown.
#include <chrono>
#include <csignal>
#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include <doctest/doctest.h>

#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli_test;
using nlohmann::json;

namespace wire = arenad::wire;

Answer items_answer(std::vector<const char*> names) {
  return [names = std::move(names)](Answering answering) {
    auto items = answering.reply.initItems(static_cast<unsigned>(names.size()));
    for (unsigned i = 0; i < items.size(); ++i) {
      items[i].setName(names[i]);
      items[i].setOk("done so");
    }
  };
}

Answer one_refused_answer() {
  return [](Answering answering) {
    auto items = answering.reply.initItems(2);
    items[0].setName("duel-1");
    items[0].setOk("done so");
    items[1].setName("duel-2");
    auto error = items[1].initError();
    error.setCode(wire::FailureCode::REFUSED);
    error.setMessage("not now");
  };
}

Answer status_answer(std::vector<std::pair<const char*, const char*>> arenas) {
  return [arenas = std::move(arenas)](Answering answering) {
    auto status = answering.reply.initStatus();
    fill_daemon(status.initDaemon());
    auto list = status.initArenas(static_cast<unsigned>(arenas.size()));
    for (unsigned i = 0; i < list.size(); ++i) fill_arena(list[i], arenas[i].first, arenas[i].second);
  };
}

}  // namespace

TEST_SUITE("arenactl list") {
  TEST_CASE("is a table of one arena too, and judges none") {
    FakeDaemon daemon(status_answer({{"duel-1", "failed"}}));
    const Ended ended = ask(daemon, {"list", "duel-1"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("ARENA   STATE   GAME"));
    CHECK(contains(ended.out, "\nduel-1  failed  "));
    CHECK(ended.err == "");
    CHECK(ask(daemon, {"list", "-o", "arena", "--no-header"}).out == "duel-1\n");
    CHECK(ask(daemon, {"list", "--all", "--finished"}).code == 0);
    CHECK(daemon.requests() == Texts{"status = (arenas = [\"duel-1\"], all = false, finished = false)",
                                     "status = (arenas = [], all = true, finished = false)",
                                     "status = (arenas = [], all = true, finished = true)"});
  }

  TEST_CASE("as JSON with its columns only") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    const json parsed = json::parse(ask(daemon, {"list", "--json"}).out);
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["arenas"][0]["name"] == "duel-1");
    CHECK(parsed["arenas"][0]["state"] == "running");
    CHECK_FALSE(parsed["arenas"][0].contains("pid"));
  }

  TEST_CASE("what matches nothing, and wrong columns") {
    FakeDaemon daemon(status_answer({}));
    CHECK(ask(daemon, {"list"}).code == 0);
    const Ended none = ask(daemon, {"list", "duel-*"});
    CHECK(none.code == 4);
    CHECK(none.out == "");
    CHECK(none.err == "arenactl: no arena matches duel-*\n");
    CHECK(ask(daemon, {"list", "-o", "sate"}).code == 2);
    CHECK(ask(daemon, {"list", "duel-1", "--all"}).code == 2);
  }
}

TEST_SUITE("arenactl inspect") {
  TEST_CASE("is the page, whatever the state") {
    FakeDaemon daemon(status_answer({{"duel-1", "failed"}}));
    const Ended ended = ask(daemon, {"inspect", "duel-1"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("duel-1: failed\n  id          01JD3M7S9XQ2V8T4KZ5W6Y7R0B\n"));
    CHECK(json::parse(ask(daemon, {"inspect", "duel-1", "--json"}).out)["arenas"][0]["state"] == "failed");
  }

  TEST_CASE("of one arena, not of none and not of several") {
    FakeDaemon several(status_answer({{"duel-1", "running"}, {"duel-2", "running"}}));
    CHECK(ask(several, {"inspect", "duel-*"}).code == 2);
    CHECK(ask(several, {"inspect"}).code == 2);
    CHECK(ask(several, {"inspect", "duel-1", "duel-2"}).code == 2);
    CHECK(ask(several, {"inspect", ""}).code == 2);
    FakeDaemon none(status_answer({}));
    CHECK(ask(none, {"inspect", "duel-*"}).code == 4);
  }
}

TEST_SUITE("arenactl undrain, reset-failed, snapshot") {
  TEST_CASE("each arena has its line, and the worst code counts") {
    FakeDaemon daemon(one_refused_answer());
    for (const char* verb : {"undrain", "reset-failed", "snapshot"}) {
      const Ended ended = ask(daemon, {verb, "duel-1", "duel-2"});
      CHECK(ended.code == 6);
      CHECK(ended.out == "duel-1: done so\n");
      CHECK(ended.err == "arenactl: duel-2: not now\n");
      CHECK(json::parse(ask(daemon, {verb, "duel-1", "duel-2", "--json"}).out)["items"][0]["ok"] == "done so");
    }
  }

  TEST_CASE("selections are passed on") {
    FakeDaemon daemon(items_answer({"duel-1"}));
    CHECK(ask(daemon, {"undrain", "duel-*"}).code == 0);
    CHECK(ask(daemon, {"undrain"}).code == 0);
    CHECK(ask(daemon, {"reset-failed"}).code == 0);
    CHECK(ask(daemon, {"reset-failed", "duel-1"}).code == 0);
    CHECK(ask(daemon, {"snapshot", "--all"}).code == 0);
    CHECK(ask(daemon, {"snapshot"}).code == 2);
    CHECK(daemon.requests() == Texts{"undrain = (arenas = [\"duel-*\"], all = false, finished = false)",
                                     "undrain = (arenas = [], all = true, finished = false)",
                                     "resetFailed = (arenas = [], all = true, finished = true)",
                                     "resetFailed = (arenas = [\"duel-1\"], all = false, finished = true)",
                                     "snapshot = (arenas = [], all = true, finished = false)"});
  }

  TEST_CASE("of all, and none is concerned") {
    FakeDaemon daemon(items_answer({}));
    const Ended undrain = ask(daemon, {"undrain"});
    CHECK(undrain.code == 0);
    CHECK(undrain.err == "arenactl: no arena was draining\narenactl: arenad takes new arenas\n");
    const Ended reset = ask(daemon, {"reset-failed"});
    CHECK(reset.code == 0);
    CHECK(reset.err == "arenactl: no arena has crashed\n");
    CHECK(json::parse(ask(daemon, {"reset-failed", "--json"}).out) == json{{"schema", 1}, {"items", json::array()}});
    CHECK(ask(daemon, {"reset-failed", "duel-*"}).code == 4);
  }
}

TEST_SUITE("arenactl tell") {
  TEST_CASE("what is told is passed on, and each game's reply has its line") {
    FakeDaemon daemon(one_refused_answer());
    const Ended ended = ask(daemon, {"tell", "duel-*", "close-zone", "30 s"});
    CHECK(ended.code == 6);
    CHECK(ended.out == "duel-1: done so\n");
    CHECK(ended.err == "arenactl: duel-2: not now\n");
    CHECK(ask(daemon, {"tell", "duel-1", "stop-time"}).code == 6);
    CHECK(daemon.requests() == Texts{"tell = (selection = (arenas = [\"duel-*\"], all = false, finished = false), name = "
                                     "\"close-zone\", payload = \"30 s\")",
                                     "tell = (selection = (arenas = [\"duel-1\"], all = false, finished = false), name = "
                                     "\"stop-time\", payload = \"\")"});
    CHECK(json::parse(ask(daemon, {"tell", "duel-1", "say", "--json"}).out)["items"][0]["ok"] == "done so");
    CHECK(ask(daemon, {"tell", "duel-1"}).code == 2);
    CHECK(ask(daemon, {"tell"}).code == 2);
    CHECK(ask(daemon, {"tell", "", "say"}).code == 2);
  }
}

TEST_SUITE("arenactl state") {
  Answer state_answer(size_t schema_bytes) {
    return [schema_bytes](Answering answering) {
      auto state = answering.reply.initGameState();
      state.setName("duel-1");
      state.setGame("duel");
      state.initSchema(static_cast<unsigned>(schema_bytes));
    };
  }

  TEST_CASE("what cannot be shown is told") {
    FakeDaemon daemon(state_answer(8));
    const Ended ended = ask(daemon, {"state", "duel-1"});
    CHECK(ended.code == 1);
    CHECK(ended.out == "");
    CHECK(ended.err == "arenactl: arenad sent no state along with its reply\n");
    CHECK(ask(daemon, {"state"}).code == 2);
    CHECK(ask(daemon, {"state", ""}).code == 2);
    CHECK(ask(daemon, {"state", "a", "b"}).code == 2);
    CHECK(daemon.requests() == Texts{"gameState = \"duel-1\""});
  }
}

TEST_SUITE("arenactl kill and signal") {
  std::string signal_request(int number) {
    return "signal = (selection = (arenas = [\"duel-1\"], all = false, finished = false), number = " + std::to_string(number) +
           ")";
  }

  TEST_CASE("a signal by its name or its number") {
    FakeDaemon daemon(items_answer({"duel-1"}));
    for (const char* name : {"USR1", "SIGUSR1", "sigusr1"}) CHECK(ask(daemon, {"kill", "-s", name, "duel-1"}).code == 0);
    const std::string number = std::to_string(SIGUSR1);
    CHECK(ask(daemon, {"kill", "--signal", number, "duel-1"}).code == 0);
    CHECK(ask(daemon, {"signal", "USR1", "duel-1"}).code == 0);
    CHECK(daemon.requests() == Texts(5, signal_request(SIGUSR1)));
    CHECK(ask(daemon, {"kill", "-s", std::to_string(SIGRTMAX), "duel-1"}).code == 0);
    CHECK(daemon.requests().back() == signal_request(SIGRTMAX));
  }

  TEST_CASE("what is no signal, or goes to nobody") {
    FakeDaemon daemon(items_answer({"duel-1"}));
    CHECK(ask(daemon, {"kill", "-s", "KIL", "duel-1"}).err == "arenactl: there is no signal 'KIL'; did you mean 'KILL'?\n");
    for (const Texts& arguments :
         {Texts{"kill", "duel-1"}, Texts{"kill", "-s", "USR1"}, Texts{"signal"}, Texts{"signal", "USR1"},
          Texts{"kill", "-s", "0", "duel-1"}, Texts{"kill", "-s", "99", "duel-1"}, Texts{"kill", "-s", "", "duel-1"},
          Texts{"kill", "-s", "-9", "duel-1"}, Texts{"signal", "duel-1", "USR1"}}) {
      CHECK(ask(daemon, arguments).code == 2);
    }
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("to all of them only with --yes where nobody can be asked") {
    FakeDaemon daemon(items_answer({"duel-1"}));
    CHECK(contains(ask(daemon, {"kill", "-s", "USR1", "--all"}).err, "give --yes too"));
    CHECK(ask(daemon, {"signal", "USR1", "*"}).code == 2);
    CHECK(daemon.requests().empty());
    CHECK(ask(daemon, {"kill", "-s", "USR1", "--all", "--yes"}).code == 0);
    CHECK(ask(daemon, {"signal", "USR1", "--all", "-y"}).code == 0);
    CHECK(daemon.requests().size() == 2);
  }
}

TEST_SUITE("arenactl shutdown") {
  const Answer kAnswer = [](Answering answering) { answering.reply.setShuttingDown(3); };

  TEST_CASE("says what is saved") {
    FakeDaemon daemon(kAnswer);
    // The end of this arenad would be the end of the test.
    CHECK(ask(daemon, {"shutdown", "--yes", "--no-wait"}).out == "arenad is shutting down; arenas that are saved: 3\n");
    CHECK(json::parse(ask(daemon, {"shutdown", "--yes", "--no-wait", "--json"}).out) == json{{"schema", 1}, {"arenas", 3}});
    CHECK(daemon.requests() == Texts(2, "shutdown = void"));
    const Ended still_there = ask(daemon, {"shutdown", "--yes", "--timeout", "100ms"});
    CHECK(still_there.code == 5);
    CHECK(contains(still_there.err, "arenad is still saving arenas after 100ms"));
  }

  TEST_CASE("Ctrl-C says that it goes on, whenever it comes") {
    // While the request waits for its answer, and right behind the answer, while arenad is there.
    for (const bool before_the_answer : {true, false}) {
      CAPTURE(before_the_answer);
      std::promise<pid_t> pid;
      auto known = pid.get_future();
      std::promise<void> ended_by_now;
      const auto over = ended_by_now.get_future();
      FakeDaemon daemon([&](Answering answering) {
        CHECK(::kill(known.get(), SIGINT) == 0);
        if (!before_the_answer) return kAnswer(answering);
        // No answer comes before arenactl has ended, unless it waits for one in spite of the signal.
        (void)over.wait_for(std::chrono::seconds(30));
        kAnswer(answering);
      });
      const Running running = begin({"--socket", daemon.socket_path(), "shutdown", "--yes"});
      pid.set_value(running.pid);
      const Ended ended = end_of(running);
      ended_by_now.set_value();
      CHECK(ended.code == 5);
      CHECK(contains(ended.err, "interrupted; "));
    }
  }

  TEST_CASE("only if it is meant") {
    FakeDaemon daemon(kAnswer);
    CHECK(contains(ask(daemon, {"shutdown"}).err, "give --yes too"));
    CHECK(run_at_terminal({"--socket", daemon.socket_path(), "shutdown"}, "n\n").code == 1);
    CHECK(daemon.requests().empty());
    CHECK(run_at_terminal({"--socket", daemon.socket_path(), "shutdown", "--no-wait"}, "y\n").code == 0);
    CHECK(daemon.requests().back() == "shutdown = void");
  }
}
