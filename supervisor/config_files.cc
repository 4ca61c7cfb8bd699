#include "supervisor/config_files.h"

#include <filesystem>
#include <unistd.h>

namespace arenad {
namespace {

bool is_program(const std::string& path) {
  std::error_code error;
  return ::access(path.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(path, error);
}

}  // namespace

std::vector<ConfigProblem> missing_files(const Config& config, const std::string& file, const std::string& worker) {
  std::vector<ConfigProblem> missing;
  if (!worker.empty() && !is_program(worker)) {
    missing.push_back({.file = file, .key = "daemon.worker", .message = "there is no program " + worker});
  }
  for (const auto& [name, game] : config.games) {
    if (::access(game.module.c_str(), R_OK) == 0) continue;
    missing.push_back(
        {.file = file, .key = "games." + name + ".module", .message = "there is no file " + game.module.string()});
  }
  return missing;
}

}  // namespace arenad
