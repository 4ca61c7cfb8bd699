#include "chaos/faults/private_group.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "chaos/random.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

// New processes may come while they are moved.
constexpr int kMostRounds = 1000;

// Where a line of /proc/self/cgroup says that this process is: "4:memory:/path", or "0::/path" of version 2. Empty: there is no such line.
std::string own_path(const std::string& controllers) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controllers) return line.substr(second + 1);
  }
  return {};
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return bool(file);
}

std::vector<pid_t> processes_in(const fs::path& group) {
  std::vector<pid_t> found;
  std::ifstream file(group / "cgroup.procs");
  for (pid_t pid = 0; file >> pid;) found.push_back(pid);
  return found;
}

uint64_t number_behind(const std::string& text, const std::string& key) {
  std::istringstream words(text);
  std::string word;
  for (uint64_t number = 0; words >> word;) {
    if (word == key && words >> number) return number;
  }
  return 0;
}

}  // namespace

Result<PrivateGroup> PrivateGroup::make(const std::string& controller) {
  const fs::path root = "/sys/fs/cgroup";
  const std::string name = "arena-chaos-" + std::to_string(::getpid());
  // Of a namespace of groups the path may lie above what can be seen: then the root of what is seen is home.
  for (const fs::path& home : {fs::path((root / controller).string() + own_path(controller)), root / controller}) {
    if (!fs::exists(home / "cgroup.procs") || ::mkdir((home / name).c_str(), 0755) != 0) continue;
    return PrivateGroup(home, home / name, controller, Version::v1);
  }
  const fs::path home = root.string() + own_path("");
  if (text_of(home / "cgroup.subtree_control").find(controller) != std::string::npos &&
      ::mkdir((home / name).c_str(), 0755) == 0)
    return PrivateGroup(home, home / name, controller, Version::v2);
  return make_error(ErrorCode::failed, "the right to make a control group for " + controller);
}

PrivateGroup::PrivateGroup(PrivateGroup&& other) noexcept
    : home_(std::move(other.home_)),
      path_(std::exchange(other.path_, {})),
      controller_(std::move(other.controller_)),
      version_(other.version_) {}

PrivateGroup::~PrivateGroup() {
  if (path_.empty()) return;
  for (int round = 0; round < kMostRounds; ++round) {
    for (const pid_t pid : processes_in(path_)) (void)write_text(home_ / "cgroup.procs", std::to_string(pid));
    if (::rmdir(path_.c_str()) == 0) return;
    ::usleep(1000);
  }
}

Result<void> PrivateGroup::take(pid_t process) {
  if (write_text(path_ / "cgroup.procs", std::to_string(process))) return {};
  return errno_error("cannot move process " + std::to_string(process) + " to a control group");
}

Result<void> PrivateGroup::limit(uint64_t most) {
  const bool is_old_memory = controller_ == "memory" && version_ == Version::v1;
  const fs::path file = path_ / (is_old_memory ? "memory.limit_in_bytes" : controller_ + ".max");
  if (write_text(file, std::to_string(most))) return {};
  return errno_error("cannot set the limit of a control group");
}

uint64_t PrivateGroup::times_at_limit() const {
  if (controller_ == "pids") return number_behind(text_of(path_ / "pids.events"), "max");
  return number_behind(text_of(path_ / (version_ == Version::v1 ? "memory.oom_control" : "memory.events")), "oom_kill");
}

std::string without_groups(const std::string& controller) {
  const auto group = PrivateGroup::make(controller);
  return group ? "" : group.error().text();
}

std::vector<pid_t> with_descendants(std::vector<pid_t> processes) {
  for (size_t i = 0; i < processes.size(); ++i) {
    std::error_code error;
    for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(processes[i]) + "/task", error)) {
      std::ifstream list(task.path() / "children");
      for (pid_t child = 0; list >> child;) processes.push_back(child);
    }
  }
  return processes;
}

}  // namespace arenad::chaos
