// Who has changed what: the audit trail of a real arenad, over its death and over an upgrade.
#include <csignal>
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

json history(const Daemon& daemon, const std::string& limit = "100") {
  const Finished told = daemon.arenactl({"history", "--json", "--limit", limit});
  INFO(told.err);
  REQUIRE(told.code == 0);
  return json::parse(told.out)["history"];
}

// "verb subject: outcome", newest first.
std::vector<std::string> told(const json& entries) {
  std::vector<std::string> lines;
  for (const auto& entry : entries) {
    lines.push_back(entry["verb"].get<std::string>() + " " + entry["subject"].get<std::string>() + ": " +
                    entry["outcome"].get<std::string>());
  }
  return lines;
}

}  // namespace

TEST_CASE("what changes something is written down, with who has asked and what became of it") {
  Daemon daemon(echo_section());
  daemon.start();
  CHECK(history(daemon).empty());
  CHECK(daemon.arenactl({"start", "echo", "--name", "duel"}).code == 0);
  CHECK(daemon.arenactl({"status"}).code == 0);
  CHECK(daemon.arenactl({"start", "chess"}).code == 2);
  CHECK(daemon.arenactl({"stop", "duel", "nobody"}).code == 4);
  CHECK(daemon.arenactl({"reload-config", "--dry-run"}).code == 0);
  CHECK(daemon.arenactl({"reload-config"}).code == 0);
  CHECK(daemon.arenactl({"drain", "--all", "--yes"}).code == 0);
  const json entries = history(daemon);
  CHECK(told(entries) == std::vector<std::string>{"drain all: done", "reload-config : done", "stop duel nobody: unknown_arena",
                                                  "start chess: invalid", "start echo duel: done"});
  for (const auto& entry : entries) {
    CHECK(entry["uid"] == ::getuid());
    CHECK(entry["gid"] == ::getgid());
    CHECK(entry["pid"] > 0);
    CHECK(entry["at_unix_ms"] > 1'700'000'000'000);
  }
  CHECK(entries[2]["detail"] == "1 of 2 failed; nobody: no arena nobody");
  CHECK(entries[0]["id"] == 5);
  CHECK(told(history(daemon, "1")) == std::vector<std::string>{"drain all: done"});
}

TEST_CASE("it outlives arenad, and what arenad died over stays open") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  // Its match does not end by itself.
  Program drain({{ARENAD_TEST_ARENACTL, "--socket", daemon.socket(), "drain", "duel"},
                 daemon.folder().path(),
                 daemon.folder() / "drain.out",
                 daemon.folder() / "drain.err"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  REQUIRE(eventually([&] { return told(history(daemon)).front() == "drain duel: open"; }));
  daemon.crash();
  const auto ended = drain.wait();
  REQUIRE(ended);
  CHECK(ended->text() == "code=exited, status=7");
  daemon.start();
  CHECK(told(history(daemon)) == std::vector<std::string>{"drain duel: open", "start ledger duel: done"});
  CHECK(daemon.arenactl({"stop", "duel"}).code == 0);
  const json entries = history(daemon);
  CHECK(entries[0]["id"] == 3);
  CHECK(entries[0]["detail"] == "duel: stopped");
}

TEST_CASE("an upgrade is written down by the program that has taken over, and so is what went over it") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  Program drain({{ARENAD_TEST_ARENACTL, "--socket", daemon.socket(), "drain", "duel", "--deadline", "60s"},
                 daemon.folder().path(),
                 daemon.folder() / "drain.out",
                 daemon.folder() / "drain.err"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  CHECK(daemon.arenactl({"upgrade"}).code == 0);
  CHECK(told(history(daemon)) == std::vector<std::string>{"upgrade : done", "drain duel: open", "start ledger duel: done"});
  CHECK(daemon.arenactl({"stop", "duel"}).code == 0);
  REQUIRE(drain.wait());
  CHECK(told(history(daemon)) ==
        std::vector<std::string>{"stop duel: done", "upgrade : done", "drain duel: done", "start ledger duel: done"});
}
