// arenactl reload-config: the real program against an arenad that is not there (tests/cli_fake_daemon.h).
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/config_text.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"

namespace {

using namespace arenad::cli_test;
using nlohmann::json;

namespace wire = arenad::wire;

struct Change {
  const char* key;
  const char* from;
  const char* to;
  wire::TakesEffect takes_effect;
  const char* note = "";
};

const std::vector<Change> kChanges{
    {"daemon.directory", "\"/old\"", "\"/new\"", wire::TakesEffect::AFTER_RESTART},
    {"daemon.log_level", "\"info\"", "\"debug\"", wire::TakesEffect::AT_ONCE},
    {"snapshot.interval_ms", "500", "20", wire::TakesEffect::WHEN_BEGUN},
    {"games.duel", "", "{ module = \"/d.so\" }", wire::TakesEffect::AT_ONCE},
    {"games.tanks.module", "\"/t.so\"", "\"/t.so\"", wire::TakesEffect::WHEN_BEGUN, "new arenas get version 1.3"},
};

Answer changed(std::vector<Change> changes) {
  return [changes = std::move(changes)](Answering answering) {
    auto to = answering.reply.initConfigReloaded();
    to.setFile("/etc/arenad.toml");
    to.setDryRun(answering.request.getReloadConfig().getDryRun());
    auto list = to.initChanges(static_cast<unsigned>(changes.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setKey(changes[i].key);
      list[i].setFrom(changes[i].from);
      list[i].setTo(changes[i].to);
      list[i].setTakesEffect(changes[i].takes_effect);
      list[i].setNote(changes[i].note);
    }
  };
}

Answer refused(wire::FailureCode code) {
  return [code](Answering answering) {
    auto to = answering.reply.initConfigReloaded();
    to.setFile("/etc/arenad.toml");
    to.setRefusal(code);
    auto list = to.initProblems(3);
    for (auto problem : list) problem.setFile("/etc/arenad.toml");
    list[0].setLine(3);
    list[0].setKey("arenas.max_arenas");
    list[0].setMessage("expected a whole number from 1 to 100000, got 0");
    list[1].setLine(7);
    list[1].setColumn(2);
    list[1].setMessage("not valid TOML: what \x1b[2J");
    list[2].setMessage("cannot be opened");
  };
}

}  // namespace

TEST_SUITE("arenactl reload-config") {
  TEST_CASE("shows what has changed, by when it takes effect") {
    FakeDaemon daemon(changed(kChanges));
    const Ended ended = ask(daemon, {"reload-config"});
    CHECK(ended.code == 0);
    CHECK(ended.out ==
          "in force now\n"
          "  daemon.log_level  \"info\"  ->  \"debug\"\n"
          "  games.duel        -       ->  { module = \"/d.so\" }\n"
          "for what begins from now on\n"
          "  snapshot.interval_ms  500      ->  20\n"
          "  games.tanks.module    \"/t.so\"  ->  \"/t.so\"\n"
          "  games.tanks.module: new arenas get version 1.3\n"
          "needs a restart of arenad\n"
          "  daemon.directory  \"/old\"  ->  \"/new\"\n");
    CHECK(ended.err == "arenactl: 1 change needs a restart of arenad; until then the old value stays in force\n");
    CHECK(daemon.requests() == Texts{"reloadConfig = (dryRun = false)"});
    CHECK(ask(daemon, {"reload-config", "--quiet"}).err == "");
  }

  TEST_CASE("a dry run says so") {
    FakeDaemon daemon(changed(kChanges));
    const Ended ended = ask(daemon, {"reload-config", "--dry-run"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("would be in force at once\n"));
    CHECK(contains(ended.out, "\nwould count for what begins afterwards\n"));
    CHECK(contains(ended.out, "\nwould need a restart of arenad\n"));
    CHECK(contains(ended.err, "arenactl: a dry run: nothing was changed\n"));
    CHECK(daemon.requests() == Texts{"reloadConfig = (dryRun = true)"});
  }

  TEST_CASE("no changes") {
    FakeDaemon daemon(changed({}));
    const Ended ended = ask(daemon, {"reload-config"});
    CHECK(ended.code == 0);
    CHECK(ended.out == "no changes\n");
    CHECK(ended.err == "");
  }

  TEST_CASE("several that need a restart are counted") {
    FakeDaemon daemon(changed({kChanges[0], {"daemon.socket", "\"a\"", "\"b\"", wire::TakesEffect::AFTER_RESTART}}));
    CHECK(ask(daemon, {"reload-config"}).err ==
          "arenactl: 2 changes need a restart of arenad; until then the old values stay in force\n");
  }

  TEST_CASE("a refusal tells every problem as arenad --check-config does, and nothing of it acts on the terminal") {
    FakeDaemon daemon(refused(wire::FailureCode::INVALID));
    const Ended ended = ask(daemon, {"reload-config"});
    CHECK(ended.code == 2);
    CHECK(ended.out == "");
    CHECK(ended.err ==
          "arenactl: /etc/arenad.toml:3: arenas.max_arenas: expected a whole number from 1 to 100000, got 0\n"
          "arenactl: /etc/arenad.toml:7:2: not valid TOML: what \\x1b[2J\n"
          "arenactl: /etc/arenad.toml: cannot be opened\n"
          "arenactl: /etc/arenad.toml is refused as a whole: nothing was changed\n");
    FakeDaemon in_the_way(refused(wire::FailureCode::REFUSED));
    CHECK(ask(in_the_way, {"reload-config"}).code == 6);
  }

  TEST_CASE("as JSON") {
    FakeDaemon daemon(changed({kChanges[3]}));
    const Ended ended = ask(daemon, {"reload-config", "--json", "--dry-run"});
    CHECK(ended.code == 0);
    CHECK(json::parse(ended.out) == json{{"schema", 1},
                                         {"config",
                                          {{"file", "/etc/arenad.toml"},
                                           {"dry_run", true},
                                           {"changes",
                                            {{{"key", "games.duel"},
                                              {"from", nullptr},
                                              {"to", "{ module = \"/d.so\" }"},
                                              {"takes_effect", "at-once"},
                                              {"note", ""}}}},
                                           {"problems", json::array()}}}});
    FakeDaemon refusing(refused(wire::FailureCode::INVALID));
    const Ended wrong = ask(refusing, {"reload-config", "--json"});
    CHECK(wrong.code == 2);
    const json parsed = json::parse(wrong.out);
    CHECK(parsed["error"]["code"] == "invalid");
    CHECK(parsed["config"]["problems"].size() == 3);
    CHECK(parsed["config"]["problems"][0] == json{{"file", "/etc/arenad.toml"},
                                                  {"line", 3},
                                                  {"column", nullptr},
                                                  {"key", "arenas.max_arenas"},
                                                  {"message", "expected a whole number from 1 to 100000, got 0"}});
    CHECK(parsed["config"]["problems"][2]["line"] == nullptr);
    CHECK(parsed["config"]["problems"][2]["key"] == nullptr);
  }

  TEST_CASE("whoever hears nothing does not know whether it was taken over") {
    FakeDaemon daemon(changed({}), Conduct::closes);
    const Ended ended = ask(daemon, {"reload-config"});
    CHECK(ended.code == 7);
    CHECK(contains(ended.err, "arenactl reload-config --dry-run shows what differs"));
    CHECK_FALSE(contains(ask(daemon, {"reload-config", "--dry-run"}).err, "may have been taken over"));
  }
}
