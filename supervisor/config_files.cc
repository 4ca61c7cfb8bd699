#include "supervisor/config_files.h"

#include <filesystem>
#include <unistd.h>

#include "supervisor/access.h"

namespace arenad {
namespace {

bool is_program(const std::string& path) {
  std::error_code error;
  return ::access(path.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(path, error);
}

// Whoever is meant by it would not have the right that he was given.
std::vector<ConfigProblem> unknown_names(const AccessConfig& access, const std::string& file) {
  std::vector<ConfigProblem> unknown;
  const auto look = [&](const std::string& key, const std::vector<std::string>& names, auto find, const char* what) {
    for (const std::string& name : names) {
      if (find(name)) continue;
      unknown.push_back(
          {.file = file, .key = "access." + key, .message = std::string("this machine has no ") + what + " " + name});
    }
  };
  if (!access.socket_group.empty()) look("socket_group", {access.socket_group}, find_group, "group");
  look("read_users", access.read_users, find_user, "user");
  look("read_groups", access.read_groups, find_group, "group");
  look("operate_users", access.operate_users, find_user, "user");
  look("operate_groups", access.operate_groups, find_group, "group");
  look("administer_users", access.administer_users, find_user, "user");
  look("administer_groups", access.administer_groups, find_group, "group");
  return unknown;
}

}  // namespace

std::vector<ConfigProblem> missing_files(const Config& config, const std::string& file, const std::string& worker) {
  std::vector<ConfigProblem> missing = unknown_names(config.access, file);
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
