// What differs between the configuration that arenad goes by and another one. Pure.
#pragma once

#include <string>
#include <vector>

#include "supervisor/config_keys.h"

namespace arenad {

struct ConfigChange {
  std::string key;   // with its sections; of a game that is added or removed: its section
  std::string from;  // as TOML; empty: the game is added
  std::string to;    // as TOML; empty: the game is removed
  TakesEffect takes_effect = TakesEffect::at_once;
  std::string note;  // what else there is to know
  bool operator==(const ConfigChange&) const = default;
};

// Key by key, in the order of the table; then game by game. A game that sets no value of its own follows the section that it comes from,
// so a change there is one of each such game too.
std::vector<ConfigChange> config_changes(Config running, Config asked);

// What is in force after a change to `asked`: all of it but the keys that need a restart, which stay as they are in `running`.
Config in_force(Config running, Config asked);

}  // namespace arenad
