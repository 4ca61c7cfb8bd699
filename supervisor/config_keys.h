// Every key of the configuration, declared once. Reading, checking, the suggestion for a misspelt
// key, the documented default file and what becomes of a change all follow from this table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervisor/config.h"

namespace arenad {

// Where a key's value lives: keys of [games.NAME] use the game, all others the configuration.
struct ConfigTarget {
  Config& config;
  GameConfig& game;
};

enum class Step { any, power_of_two, zero_or_power_of_two };
enum class RelativeTo { file, runtime_directory };
enum class EmptyPath { refused, allowed };

struct NumberKey {
  uint64_t& (*field)(ConfigTarget);
  uint64_t low;  // of zero_or_power_of_two: the smallest but 0
  uint64_t high;
  Step step = Step::any;
};

struct PathKey {
  std::filesystem::path& (*field)(ConfigTarget);
  RelativeTo relative_to = RelativeTo::file;
  EmptyPath empty = EmptyPath::refused;
};

struct ChoiceKey {
  std::span<const std::string_view> names;  // in the order of the enum's values
  void (*set)(ConfigTarget, size_t index);
  size_t (*get)(ConfigTarget);
};

// A name or a number of a user or a group, or none.
struct NameKey {
  std::string& (*field)(ConfigTarget);
};

struct NamesKey {
  std::vector<std::string>& (*field)(ConfigTarget);
};

// Where metrics are to be had (metrics_address.h).
struct MetricsAddressKey {
  std::string& (*field)(ConfigTarget);
};

// "auto", "off", or the path of a control group from the top of its hierarchy.
struct ControlGroupKey {
  std::string& (*field)(ConfigTarget);
};

// Paths, each relative to the file's folder.
struct PathsKey {
  std::vector<std::string>& (*field)(ConfigTarget);
};

struct FlagKey {
  bool& (*field)(ConfigTarget);
};

// What a changed value does while arenad runs (config_reload.h).
enum class TakesEffect {
  at_once,        // arenad goes by it, also for what runs; a wait that is under way ends as it began
  when_begun,     // what begins from now on goes by it: new arenas, attachments, the next worker of an arena, the next arenad
  after_restart,  // of arenad: until then the old value stays in force
};

struct ConfigKey {
  std::string_view section;
  std::string_view name;
  TakesEffect takes_effect;
  std::string_view help;
  std::variant<NumberKey, PathKey, ChoiceKey, NameKey, NamesKey, MetricsAddressKey, ControlGroupKey, PathsKey, FlagKey> kind;
};

// The section of [games.NAME]: the one whose keys stand a level deeper.
inline constexpr std::string_view kGamesSection = "games";

// Keys of a section stand together; those of kGamesSection come last.
std::span<const ConfigKey> config_keys();

// Nothing if there is none.
const ConfigKey* find_config_key(std::string_view section, std::string_view name);
bool is_config_section(std::string_view section);

// The one that is most likely meant. There is always one.
const ConfigKey& nearest_config_key(std::string_view section, std::string_view name);
std::string_view nearest_config_section(std::string_view section);

// What a value must be: "a whole number from 0 to 64".
std::string expected_value(const ConfigKey& key);
// The value as TOML.
std::string value_text(const ConfigKey& key, ConfigTarget target);
// " A change needs a restart of arenad.": what is to be said of a change; empty if it takes effect at once.
std::string_view when_changed(TakesEffect takes_effect);

void copy_value(const ConfigKey& key, ConfigTarget from, ConfigTarget to);

// What a game has that sets nothing of its own.
GameConfig game_defaults(const Config& config);

}  // namespace arenad
