// Where the programs of a run are: beside this one in the build tree, or where --bin says.
#pragma once

#include <filesystem>
#include <vector>

#include "arenad/result.h"

namespace arenad::chaos {

struct Programs {
  std::filesystem::path self;
  std::filesystem::path keeper;
  std::filesystem::path daemon;
  std::filesystem::path worker;
  std::filesystem::path game;  // the module
};

// folders: searched first, in their order. An error names what was not found, and where it was looked for.
Result<Programs> find_programs(const std::vector<std::string>& folders);

}  // namespace arenad::chaos
