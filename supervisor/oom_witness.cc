#include "supervisor/oom_witness.h"

#include <fstream>
#include <sstream>

namespace arenad {
namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

bool is_controller(const std::string& list, const std::string& name) {
  std::istringstream names(list);
  for (std::string one; std::getline(names, one, ',');) {
    if (one == name) return true;
  }
  return false;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string oom_counter_path(const std::string& cgroups) {
  std::string unified;
  std::istringstream lines(cgroups);
  for (std::string line; std::getline(lines, line);) {
    // hierarchy-id:controllers:path
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (is_controller(controllers, "memory")) return std::string(kMount) + "/memory" + path + "/memory.oom_control";
    if (controllers.empty()) unified = std::string(kMount) + path + "/memory.events";
  }
  return unified;
}

OomWitness OomWitness::of_self() {
  return OomWitness(oom_counter_path(read("/proc/self/cgroup")));
}

OomWitness::OomWitness(std::string path) : path_(std::move(path)) {
  const auto now = count();
  if (!now) path_.clear();
  accounted_ = now.value_or(0);
}

std::optional<uint64_t> OomWitness::count() const {
  std::ifstream file(path_);
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "oom_kill") return value;
  }
  return std::nullopt;
}

bool OomWitness::accounts_for_a_death() {
  if (path_.empty() || count().value_or(0) <= accounted_) return false;
  ++accounted_;
  return true;
}

}  // namespace arenad
