#include "supervisor/config_change.h"

#include <set>

namespace arenad {
namespace {

std::string game_path(const std::string& name) {
  return std::string(kGamesSection) + "." + name;
}

void add_change(std::vector<ConfigChange>& changes, const ConfigKey& key, const std::string& path, ConfigTarget running,
                ConfigTarget asked) {
  std::string from = value_text(key, running);
  std::string to = value_text(key, asked);
  if (from == to) return;
  changes.push_back({path + "." + std::string(key.name), std::move(from), std::move(to), key.takes_effect, {}});
}

// A game as an inline table: its module, and what it does not have from the other sections.
std::string game_text(Config& config, GameConfig& game) {
  GameConfig defaults = game_defaults(config);
  std::string text;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != kGamesSection) continue;
    const std::string value = value_text(key, {config, game});
    if (value == value_text(key, {config, defaults})) continue;
    text += (text.empty() ? "{ " : ", ") + std::string(key.name) + " = " + value;
  }
  return text.empty() ? "{}" : text + " }";
}

void add_game_changes(std::vector<ConfigChange>& changes, const std::string& name, Config& running, Config& asked) {
  const auto before = running.games.find(name);
  const auto after = asked.games.find(name);
  if (before == running.games.end()) {
    changes.push_back({game_path(name), {}, game_text(asked, after->second), TakesEffect::at_once, {}});
  } else if (after == asked.games.end()) {
    changes.push_back({game_path(name), game_text(running, before->second), {}, TakesEffect::at_once, {}});
  } else {
    for (const ConfigKey& key : config_keys()) {
      if (key.section != kGamesSection) continue;
      add_change(changes, key, game_path(name), {running, before->second}, {asked, after->second});
    }
  }
}

}  // namespace

std::vector<ConfigChange> config_changes(Config running, Config asked) {
  std::vector<ConfigChange> changes;
  GameConfig no_game;  // of keys outside of any game
  for (const ConfigKey& key : config_keys()) {
    if (key.section != kGamesSection) {
      add_change(changes, key, std::string(key.section), {running, no_game}, {asked, no_game});
    }
  }
  std::set<std::string> names;
  for (const Config* config : {&running, &asked}) {
    for (const auto& [name, game] : config->games) names.insert(name);
  }
  for (const std::string& name : names) add_game_changes(changes, name, running, asked);
  return changes;
}

Config in_force(Config running, Config asked) {
  GameConfig no_game;
  for (const ConfigKey& key : config_keys()) {
    if (key.takes_effect != TakesEffect::after_restart) continue;
    if (key.section != kGamesSection) {
      copy_value(key, {running, no_game}, {asked, no_game});
      continue;
    }
    for (auto& [name, game] : asked.games) {
      const auto before = running.games.find(name);
      if (before != running.games.end()) copy_value(key, {running, before->second}, {asked, game});
    }
  }
  return asked;
}

}  // namespace arenad
