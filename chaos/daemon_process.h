// The arenad of a run: with a configuration of its own, in the run's private folder, and under arena-keeper, as in earnest. The
// keeper is our child: it passes SIGTERM on, ends when arenad has ended for good, and with its exit code. An arenad that dies it
// starts again.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "chaos/child_process.h"
#include "chaos/programs.h"

namespace arenad::chaos {

// One that allows for what a run does to it: an arena may die again and again and is restarted at once, always.
std::string daemon_config(const Programs& programs, const std::filesystem::path& folder);

class DaemonProcess {
 public:
  static Result<DaemonProcess> start(const Programs& programs, const std::filesystem::path& folder);

  // Asks it to end and waits for that. An error if it does not in time, does not end well, or leaves its socket behind.
  Result<void> stop(uint64_t timeout_ms);
  // The keeper has ended, and so arenad.
  [[nodiscard]] std::optional<Exit> ended() { return process_.wait(0); }
  // What the keeper has said, but for the deaths of arenads that were killed: it is silent unless arenad dies or does not end.
  [[nodiscard]] std::vector<std::string> troubles(uint64_t arenads_killed) const;
  [[nodiscard]] pid_t keeper() const { return process_.pid(); }
  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  [[nodiscard]] const std::filesystem::path& log() const { return log_; }  // the keeper's, arenad's and the workers'
  [[nodiscard]] const Fd& pidfd() const { return process_.pidfd(); }

 private:
  DaemonProcess(ChildProcess process, std::filesystem::path socket, std::filesystem::path log)
      : process_(std::move(process)), socket_(std::move(socket)), log_(std::move(log)) {}
  ChildProcess process_;
  std::filesystem::path socket_;
  std::filesystem::path log_;
};

}  // namespace arenad::chaos
