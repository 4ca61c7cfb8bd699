#include "chaos/process_tree.h"

#include <filesystem>
#include <fstream>

#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr size_t kNameLength = 15;  // PR_SET_NAME(2const)

}  // namespace

std::string process_name(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::ifstream list(task.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> found = children_of(pid);
  for (size_t i = 0; i < found.size(); ++i) {
    for (const pid_t child : children_of(found[i])) found.push_back(child);
  }
  return found;
}

std::optional<Fd> open_named(pid_t pid, const std::string& name) {
  auto pidfd = open_pidfd(pid);
  // If it lives after its name was read, then the name is that of the process that the descriptor means.
  if (!pidfd || process_name(pid) != name.substr(0, kNameLength) || has_ended(*pidfd)) return std::nullopt;
  return std::move(*pidfd);
}

}  // namespace arenad::chaos
