#include "chaos/litter.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

enum class Children { none, some };

Children reap_all() {
  for (;;) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid > 0 || (pid < 0 && errno == EINTR)) continue;
    return pid == 0 ? Children::some : Children::none;
  }
}

// Nothing tells of the end of a process that is not known, so this looks every few milliseconds.
Children reap_until(uint64_t deadline_ns) {
  for (;;) {
    if (reap_all() == Children::none) return Children::none;
    if (monotonic_ns() >= deadline_ns) return Children::some;
    ::usleep(2000);
  }
}

struct Process {
  pid_t pid = 0;
  std::string name;
};

// "pid (name) state ppid ..." of proc(5); the name may hold anything, brackets too.
std::optional<Process> our_child(const std::filesystem::path& folder) {
  const std::string digits = folder.filename().string();
  Process process;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), process.pid);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  std::ifstream file(folder / "stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const size_t open = line.find('(');
  const size_t close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 4 > line.size()) return std::nullopt;
  process.name = line.substr(open + 1, close - open - 1);
  const pid_t parent = static_cast<pid_t>(std::strtol(line.c_str() + close + 4, nullptr, 10));
  if (parent != ::getpid()) return std::nullopt;
  return process;
}

std::vector<Process> children() {
  std::vector<Process> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    if (auto child = our_child(entry.path())) found.push_back(std::move(*child));
  }
  return found;
}

}  // namespace

void become_reaper() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::vector<std::string> clear_litter(uint64_t grace_ms) {
  std::vector<std::string> litter;
  if (reap_until(monotonic_ns() + grace_ms * kMillisecond) == Children::none) return litter;
  // A child that is killed may leave children of its own, which come to us next.
  constexpr int kGenerations = 10;
  for (int generation = 0; generation < kGenerations; ++generation) {
    for (const Process& process : children()) {
      litter.push_back(process.name + " (" + std::to_string(process.pid) + ")");
      ::kill(process.pid, SIGKILL);
    }
    if (reap_until(monotonic_ns() + kSecond) == Children::none) return litter;
  }
  return litter;
}

}  // namespace arenad::chaos
