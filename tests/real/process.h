// Programs that a test runs, and the waiting for what they do.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad::test {

// Far beyond what anything here takes, also with sanitizers on a busy machine.
constexpr uint64_t kPatienceMs = 60'000;

// Looks every few milliseconds whether it holds. False if it never did.
template <class Condition>
bool eventually(Condition&& holds, uint64_t patience_ms = kPatienceMs) {
  const uint64_t deadline_ns = monotonic_ns() + patience_ms * kMillisecond;
  while (!holds()) {
    if (monotonic_ns() >= deadline_ns) return false;
    ::usleep(2000);
  }
  return true;
}

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);

// A folder of the test's own, removed with it.
class PrivateFolder {
 public:
  PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct ProgramCall {
  std::vector<std::string> command;  // the program's path first
  std::filesystem::path folder;      // it runs there; its output goes to `out` and `err`
  std::filesystem::path out;
  std::filesystem::path err;
};

// A child of the test; killed with it.
class Program {
 public:
  explicit Program(const ProgramCall& call);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void signal(int number) const { send_signal(pidfd_, number); }
  // How it ended; nothing if it still runs at the end of the patience.
  std::optional<Exit> wait(uint64_t patience_ms = kPatienceMs);
  [[nodiscard]] bool ended();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  Fd pidfd_;
  std::optional<Exit> exit_;
};

struct Finished {
  int code = -1;  // 1000 + its signal; -1: it did not end
  std::string out;
  std::string err;
};
Finished run_to_end(const std::vector<std::string>& command, const PrivateFolder& folder);

// Living children of a process, by /proc.
std::vector<pid_t> children_of(pid_t pid);
std::string name_of(pid_t pid);
// It is gone, or a zombie that nobody has reaped.
bool has_ended(pid_t pid);
size_t open_files_of(pid_t pid);
size_t resident_kib_of(pid_t pid);

// A limit of another process, which is given back.
class LimitedResource {
 public:
  LimitedResource(pid_t pid, __rlimit_resource resource, rlim_t limit);
  LimitedResource(const LimitedResource&) = delete;
  LimitedResource& operator=(const LimitedResource&) = delete;
  ~LimitedResource();

 private:
  pid_t pid_;
  __rlimit_resource resource_;
  rlimit before_{};
};

}  // namespace arenad::test
