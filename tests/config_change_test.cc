#include "supervisor/config_change.h"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace {

using arenad::Config;
using arenad::ConfigChange;
using arenad::ConfigKey;
using arenad::GameConfig;
using arenad::NumberKey;
using arenad::TakesEffect;

using Changes = std::vector<ConfigChange>;

Config config(std::string_view text) {
  auto loaded = arenad::parse_config(text, "arenad.toml", "/srv");
  REQUIRE(std::holds_alternative<Config>(loaded));
  return std::get<Config>(loaded);
}

Changes changes(std::string_view running, std::string_view asked) {
  return arenad::config_changes(config(running), config(asked));
}

constexpr const char* kTwoGames = "[games.duel]\nmodule = \"duel.so\"\n[games.tanks]\nmodule = \"tanks.so\"\nspares = 5\n";

// Another value that this key may have.
void change(const ConfigKey& key, arenad::ConfigTarget target) {
  if (const auto* number = std::get_if<NumberKey>(&key.kind)) {
    uint64_t& value = number->field(target);
    value = value == number->low ? number->high : number->low;
  } else if (const auto* path = std::get_if<arenad::PathKey>(&key.kind)) {
    path->field(target) = "/elsewhere";
  } else if (const auto* name = std::get_if<arenad::NameKey>(&key.kind)) {
    name->field(target) += "other";
  } else if (const auto* names = std::get_if<arenad::NamesKey>(&key.kind)) {
    names->field(target).emplace_back("other");
  } else if (const auto* listen = std::get_if<arenad::MetricsAddressKey>(&key.kind)) {
    listen->field(target) = "127.0.0.1:9464";
  } else if (const auto* group = std::get_if<arenad::ControlGroupKey>(&key.kind)) {
    group->field(target) = "/elsewhere";
  } else if (const auto* paths = std::get_if<arenad::PathsKey>(&key.kind)) {
    paths->field(target).emplace_back("/elsewhere");
  } else if (const auto* flag = std::get_if<arenad::FlagKey>(&key.kind)) {
    flag->field(target) = !flag->field(target);
  } else {
    const auto& choice = std::get<arenad::ChoiceKey>(key.kind);
    choice.set(target, (choice.get(target) + 1) % choice.names.size());
  }
}

}  // namespace

TEST_CASE("config change: nothing differs from itself") {
  CHECK(changes("", "").empty());
  CHECK(changes(kTwoGames, kTwoGames).empty());
  CHECK(changes("", "[daemon]\n# as it is by itself\nlog_level = \"info\"\n").empty());
}

TEST_CASE("config change: values as TOML, in the order of the table") {
  CHECK(
      changes(
          "[daemon]\nsocket = \"old.sock\"\n[restart]\nintensity = 3\n",
          "[restart]\nintensity = 4\n[daemon]\nsocket = \"new.sock\"\nlog_level = \"debug\"\n[snapshot]\ninterval_ms = 20\n") ==
      Changes{{"daemon.socket", "\"old.sock\"", "\"new.sock\"", TakesEffect::after_restart, {}},
              {"daemon.log_level", "\"info\"", "\"debug\"", TakesEffect::at_once, {}},
              {"snapshot.interval_ms", "500", "20", TakesEffect::when_begun, {}},
              {"restart.intensity", "3", "4", TakesEffect::at_once, {}}});
}

TEST_CASE("config change: every key of the table is compared, and says when it takes effect") {
  for (const ConfigKey& key : arenad::config_keys()) {
    CAPTURE(key.section);
    CAPTURE(key.name);
    Config running;
    running.games["tanks"] = arenad::game_defaults(running);
    Config asked = running;
    change(key, {asked, asked.games["tanks"]});
    const bool of_game = key.section == arenad::kGamesSection;
    const Changes found = arenad::config_changes(running, asked);
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == std::string(key.section) + (of_game ? ".tanks." : ".") + std::string(key.name));
    CHECK(found[0].from != found[0].to);
    CHECK(found[0].takes_effect == key.takes_effect);
    // What can be applied is in force, all else as it was.
    CHECK(arenad::in_force(running, asked) == (key.takes_effect == TakesEffect::after_restart ? running : asked));
  }
}

TEST_CASE("config change: a game that sets nothing of its own follows the section") {
  CHECK(changes(kTwoGames, std::string(kTwoGames) + "[spares]\nper_game = 3\n") ==
        Changes{{"spares.per_game", "2", "3", TakesEffect::at_once, {}},
                {"games.duel.spares", "2", "3", TakesEffect::at_once, {}}});
}

TEST_CASE("config change: games added and removed, with all that they set") {
  CHECK(changes("", kTwoGames) ==
        Changes{{"games.duel", "", "{ module = \"/srv/duel.so\" }", TakesEffect::at_once, {}},
                {"games.tanks", "", "{ module = \"/srv/tanks.so\", spares = 5 }", TakesEffect::at_once, {}}});
  CHECK(changes(kTwoGames, "[games.duel]\nmodule = \"other.so\"\n") ==
        Changes{{"games.duel.module", "\"/srv/duel.so\"", "\"/srv/other.so\"", TakesEffect::when_begun, {}},
                {"games.tanks", "{ module = \"/srv/tanks.so\", spares = 5 }", "", TakesEffect::at_once, {}}});
}

TEST_CASE("config change: what needs a restart is asked for again and again") {
  const Config running = config("[daemon]\ndirectory = \"/old\"\n[arenas]\nmax_arenas = 1\n");
  const Config asked = config("[daemon]\ndirectory = \"/new\"\n[arenas]\nmax_arenas = 2\n");
  const Config now = arenad::in_force(running, asked);
  CHECK(now.daemon.directory == "/old");
  CHECK(now.arenas.max_arenas == 2);
  CHECK(arenad::config_changes(now, asked) ==
        Changes{{"daemon.directory", "\"/old\"", "\"/new\"", TakesEffect::after_restart, {}}});
}
