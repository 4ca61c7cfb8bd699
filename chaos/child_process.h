// A program that the run starts: in a session of its own, so that a terminal's Ctrl-C is for the run alone, from the fork on,
// with its output in a file, and with a signal to come should this process die first.
//
// Only for a process with one thread: it forks.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ipc/process.h"

namespace arenad::chaos {

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::filesystem::path log;  // standard output and standard error are appended
  const Fd* link = nullptr;   // becomes descriptor 3 (kLinkDescriptor)
  int signal_if_orphaned = 0;
};

class ChildProcess {
 public:
  // A program that cannot be executed ends with kExitNotExecuted, and says so in the log.
  static Result<ChildProcess> start(const Command& command);
  // A fork of this process that does one thing, and is killed should this process die first.
  static Result<ChildProcess> fork_for(const std::function<void()>& work);
  ChildProcess(ChildProcess&&) noexcept = default;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills it if it still runs.
  ~ChildProcess();

  void signal(int number) { send_signal(pidfd_, number); }
  // Nothing if it runs longer than that.
  std::optional<Exit> wait(uint64_t timeout_ms);
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Fd& pidfd() const { return pidfd_; }

  static constexpr int kExitNotExecuted = 127;

 private:
  ChildProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_;
  Fd pidfd_;
  std::optional<Exit> exit_;
};

}  // namespace arenad::chaos
