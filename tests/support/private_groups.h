// Control groups of a test's own for an arenad to make those of its workers in: one path, in each hierarchy that bounds memory or tasks. Needs
// the right to make them; where there is none, make() gives nothing.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "supervisor/control_group.h"

namespace arenad::test {

class PrivateGroups {
 public:
  static std::optional<PrivateGroups> make() {
    PrivateGroups groups("/arenad-test-groups-" + std::to_string(::getpid()));
    bool has_memory = false;
    bool has_pids = false;
    for (GroupHierarchy& hierarchy : group_hierarchies(text_of("/proc/self/cgroup"), text_of("/proc/self/mountinfo"))) {
      if (hierarchy.version == GroupVersion::v2) {
        const std::string offered = text_of(hierarchy.folder("/") + "/cgroup.subtree_control");
        hierarchy.has_memory = has_word(offered, "memory");
        hierarchy.has_pids = has_word(offered, "pids");
      }
      const std::string folder = hierarchy.folder(groups.path_);
      if (folder.empty() || (!hierarchy.has_memory && !hierarchy.has_pids) || ::mkdir(folder.c_str(), 0755) != 0) continue;
      has_memory |= hierarchy.has_memory;
      has_pids |= hierarchy.has_pids;
      groups.folders_.push_back(folder);
    }
    if (!has_memory || !has_pids) return std::nullopt;
    return groups;
  }
  PrivateGroups(PrivateGroups&& other) noexcept : path_(std::move(other.path_)), folders_(std::move(other.folders_)) {
    other.folders_.clear();
  }
  PrivateGroups& operator=(PrivateGroups&&) = delete;
  ~PrivateGroups() {
    for (const std::string& folder : folders_) ::rmdir(folder.c_str());
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  // In each hierarchy.
  [[nodiscard]] const std::vector<std::string>& folders() const { return folders_; }
  [[nodiscard]] bool encloses(pid_t pid) const {
    return std::ranges::all_of(folders_, [&](const std::string& folder) {
      const auto pids = parse_processes(text_of(folder + "/" + worker_group_name(pid) + "/cgroup.procs"));
      return std::ranges::find(pids, pid) != pids.end();
    });
  }
  // Groups below, in all hierarchies together.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const std::string& folder : folders_) {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_directory()) names.push_back(entry.path().filename());
      }
    }
    return names;
  }
  [[nodiscard]] bool has_group_of(pid_t pid) const {
    const auto all = names();
    return std::ranges::find(all, worker_group_name(pid)) != all.end();
  }

 private:
  explicit PrivateGroups(std::string path) : path_(std::move(path)) {}
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string path_;
  std::vector<std::string> folders_;
};

}  // namespace arenad::test
