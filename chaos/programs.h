// Where the programs of a run are: beside this one in the build tree, or where --bin says.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "arenad/result.h"

namespace arenad::chaos {

struct Programs {
  std::filesystem::path self;
  std::filesystem::path keeper;
  std::filesystem::path daemon;
  std::filesystem::path worker;
  std::filesystem::path game;  // the module
  // For a run that changes the game's code.
  std::filesystem::path arenactl;
  std::map<std::string, std::filesystem::path>
      versions;  // modules that stay, by what they call their version; empty: the game alone
};

// folders: searched first, in their order. An error names what was not found, and where it was looked for.
Result<Programs> find_programs(const std::vector<std::string>& folders);
// Also arenactl. A module of the game: from the same folders.
Result<void> find_arenactl(Programs& programs, const std::vector<std::string>& folders);
Result<std::filesystem::path> find_module(const Programs& programs, const std::string& name,
                                          const std::vector<std::string>& folders);

}  // namespace arenad::chaos
