// The numbered stream of what happens: without a gap and each event once, while workers and arenad are killed and arenad is upgraded.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

constexpr const char* kManyRestarts =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n";

// Whole lines only: a program may be writing another one.
std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream all(text.substr(0, text.rfind('\n') + 1));
  for (std::string line; std::getline(all, line);) {
    lines.push_back(json::parse(line));
    REQUIRE(lines.back()["schema"] == 1);
  }
  return lines;
}

std::vector<json> events(const Daemon& daemon, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), {"events", "--json"});
  const Finished told = daemon.arenactl(std::move(arguments));
  INFO(told.err);
  REQUIRE(told.code == 0);
  return lines_of(told.out);
}

std::vector<std::string> types(const std::vector<json>& events) {
  std::vector<std::string> types;
  for (const json& event : events) types.push_back(event["type"]);
  return types;
}

bool is_there(const Daemon& daemon, const std::string& arena, const std::string& type) {
  return eventually([&] { return !events(daemon, {arena, "--type", type}).empty(); });
}

void check_numbers(const std::vector<json>& events, uint64_t first) {
  for (const json& event : events) REQUIRE(event["number"] == first++);
}

using Types = std::vector<std::string>;

// For doctest, which shows no lists.
std::string joined(const Types& types) {
  std::string all;
  for (const std::string& type : types) all += type + " ";
  return all;
}

}  // namespace

TEST_CASE("the life of an arena, event by event") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  const std::string id = daemon.start_arena("duel");
  daemon.start_arena("other");
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  CHECK(daemon.arenactl({"drain", "duel", "--deadline", "1h", "--no-wait"}).code != 7);
  CHECK(daemon.stop_arena("other").ok());
  REQUIRE(is_there(daemon, "other", "stopped"));
  REQUIRE(is_there(daemon, "duel", "ended"));
  const std::vector<json> all = events(daemon);
  check_numbers(all, 1);
  CHECK(all[0]["type"] == "arenad-started");
  const std::vector<json> duel = events(daemon, {"duel"});
  const Types life = types(duel);
  REQUIRE(life.size() >= 4);
  CHECK(Types(life.begin(), life.begin() + 4) == Types{"started", "ready", "died", "recovered"});
  for (const json& event : duel) {
    CHECK(event["arena"] == id);
    CHECK(event["name"] == "duel");
    CHECK(event["game"] == "echo");
    CHECK(event["at_unix_ms"] > 1'700'000'000'000);
  }
  CHECK(duel[1]["details"]["rung"] == "init");
  CHECK(duel[2]["details"]["cause"].get<std::string>().find("signal=KILL") != std::string::npos);
  CHECK(duel[2]["details"]["signature"] == "SIGKILL");
  CHECK(duel[2]["details"]["kind"] == "killed");
  CHECK(std::stod(duel[3]["details"]["ms"].get<std::string>()) > 0);
  CHECK(types(events(daemon, {"other"})) == Types{"started", "ready", "stopped"});
  CHECK(events(daemon, {id}).size() == duel.size());
  CHECK(types(events(daemon, {"--type", "died", "--type", "stopped"})) == Types{"died", "stopped"});
  CHECK(types(events(daemon, {"-n", "1"})) == Types{types(all).back()});
  CHECK(types(events(daemon, {"--since", std::to_string(all.size() - 2)})) ==
        Types{all[all.size() - 2]["type"], all[all.size() - 1]["type"]});
}

TEST_CASE("whoever follows misses nothing and hears nothing twice, whoever is killed meanwhile") {
  for (const Daemon::Parent parent : {Daemon::Parent::keeper, Daemon::Parent::test}) {
    CAPTURE(static_cast<int>(parent));
    Daemon daemon(kManyRestarts + echo_section(), parent);
    daemon.start();
    const std::vector<std::string> arenas{"a1", "a2", "a3"};
    for (const std::string& name : arenas) daemon.start_arena(name, {{"hz", "50"}});
    const std::filesystem::path out = daemon.folder() / "followed";
    Program follower(
        ProgramCall{{ARENAD_TEST_ARENACTL, "--socket", daemon.socket(), "events", "--follow", "--json", "--since", "0"},
                    daemon.folder() / "work",
                    out,
                    daemon.folder() / "followed.err"});
    for (int round = 0; round < 4; ++round) {
      for (const std::string& name : arenas) REQUIRE(daemon.runs_again(name, daemon.kill_worker(name)));
      // What an arenad dies over before the database has it, it takes with it: that comes below.
      const size_t deaths = arenas.size() * static_cast<size_t>(round + 1);
      REQUIRE(eventually([&] { return events(daemon, {"--type", "recovered"}).size() == deaths; }));
      if (round % 2 == 0) {
        daemon.kill_arenad();
        if (parent == Daemon::Parent::test) daemon.start();
      } else {
        CHECK(daemon.arenactl({"upgrade"}).code == 0);
      }
      for (const std::string& name : arenas) {
        CHECK(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.state == "running"; }));
      }
    }
    // At any moment.
    REQUIRE(eventually([&] { return events(daemon, {"--type", "arenad-upgraded"}).size() == 2; }));
    const size_t told_so_far = events(daemon, {"-n", "1"}).back()["number"];
    REQUIRE(eventually([&] { return lines_of(read_file(out)).size() >= told_so_far; }));
    for (int round = 0; round < 3; ++round) {
      for (const std::string& name : arenas) daemon.kill_worker(name);
      ::usleep(static_cast<useconds_t>(round) * 3000);
      daemon.kill_arenad();
      if (parent == Daemon::Parent::test) daemon.start();
      for (const std::string& name : arenas) {
        CHECK(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.state == "running"; }));
      }
    }
    const std::string last = daemon.start_arena("last");
    INFO(read_file(daemon.folder() / "followed.err"));
    REQUIRE(eventually([&] {
      const std::vector<json> seen = lines_of(read_file(out));
      return !seen.empty() && seen.back().value("name", "") == "last" && seen.back()["type"] == "ready";
    }));
    follower.signal(SIGINT);
    REQUIRE(follower.wait().has_value());
    CHECK(follower.wait()->text() == "code=exited, status=0");
    const std::vector<json> seen = lines_of(read_file(out));
    check_numbers(seen, 1);
    std::map<std::string, std::map<std::string, int>> count;
    for (const json& event : std::span(seen).first(told_so_far)) ++count[event.value("name", "arenad")][event["type"]];
    for (const std::string& name : arenas) {
      CAPTURE(name);
      CHECK(count[name]["started"] == 1);
      CHECK(count[name]["ready"] == 1);
      CHECK(count[name]["died"] == 4);
      CHECK(count[name]["recovered"] == 4);
      CHECK(count[name]["adopted"] == 2);
    }
    CHECK(count["arenad"]["arenad-started"] == 3);
    CHECK(count["arenad"]["arenad-upgraded"] == 2);
    // The same, asked for afterwards.
    const std::vector<json> kept = events(daemon, {"--since", "0"});
    REQUIRE(kept.size() >= seen.size());
    CHECK(std::equal(seen.begin(), seen.end(), kept.begin()));
  }
}

TEST_CASE("a rollout and a reload of the configuration are told of") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("l1", {}, "ledger");
  daemon.start_arena("l2", {}, "ledger");
  CHECK(daemon.arenactl({"reload", "ledger", module_path("ledger_good"), "--probation", "100ms", "--canary", "1"}).code == 0);
  CHECK(daemon.arenactl({"reload-config"}).code == 0);
  REQUIRE(eventually([&] { return !events(daemon, {"--type", "config-reloaded"}).empty(); }));
  const Types told = types(events(daemon));
  CHECK(std::ranges::count(told, "rollout-begun") == 1);
  CHECK(std::ranges::count(told, "rollout-over") == 1);
  CHECK(std::ranges::count(told, "rollout-step") >= 1);
  for (const std::string arena : {"l1", "l2"}) {
    CHECK(joined(types(events(daemon, {arena}))) == "started ready handing-over ready handed-over passed ");
  }
}

TEST_CASE("what is wrong with the question is said") {
  Daemon daemon(echo_section());
  daemon.start();
  CHECK(daemon.arenactl({"events", "--since", "x"}).code == 2);
  CHECK(daemon.arenactl({"events", "--since", "1", "-n", "5"}).code == 2);
  CHECK(daemon.arenactl({"events", "-n", "0"}).code == 2);
  // Of a number that was never given nobody can be told what follows it.
  const Finished anew = daemon.arenactl({"events", "--since", "4711"});
  CHECK(anew.code == 1);
  CHECK(anew.err.find("numbered anew") != std::string::npos);
}

TEST_CASE("an arena of which nothing is known is named, one that has nothing to tell or has gone is not") {
  Daemon daemon("[arenas]\nkeep_finished = 0\n" + echo_section());
  daemon.start();
  const std::string id = daemon.start_arena("gone");
  REQUIRE(daemon.stop_arena("gone").ok());
  daemon.start_arena("duel");
  REQUIRE_FALSE(daemon.knows("gone"));
  const auto code = [&](std::vector<std::string> arenas) {
    arenas.insert(arenas.begin(), "events");
    return daemon.arenactl(std::move(arenas)).code;
  };
  for (const std::string& known : {std::string("gone"), id, std::string("g*"), std::string("game:echo"), std::string("duel")}) {
    CAPTURE(known);
    CHECK(code({known}) == 0);
  }
  std::string lower = id;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  CHECK(events(daemon, {lower}).size() == events(daemon, {id}).size());
  for (const std::string unknown : {"nobody", "n*", "game:chess", "01JD3M7S9XQ2V8T4KZ5W6Y7R0B"}) {
    CAPTURE(unknown);
    const Finished told = daemon.arenactl({"events", "duel", unknown});
    CHECK(told.code == 4);
    CHECK(told.err == "arenactl: no events of " + unknown + " are kept, and no such arena is there\n");
    CHECK(told.out.find(" started duel ") != std::string::npos);
  }
  const Finished nothing = daemon.arenactl({"events", "duel", "--type", "died"});
  CHECK(nothing.code == 0);
  CHECK(nothing.err.find("nothing of that has happened yet") != std::string::npos);
}
