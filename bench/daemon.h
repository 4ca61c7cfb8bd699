// An arenad of one benchmark's own: its configuration, database, socket and log lie in the run's private folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ipc/control_client.h"
#include "ipc/process.h"

namespace arenad::bench {

class Daemon {
 public:
  // settings: TOML that is added to where files lie, for the sections of arenad's configuration that a benchmark needs otherwise.
  // The games are `tanks` and `bench`; game_settings is added to the section of `bench`.
  struct Options {
    std::string name;  // of its subfolder
    std::string settings;
    std::string game_settings;
    // Which modules these are, by their names in games/.
    std::string tanks_module = "tanks";
    std::string bench_module = "bench";
  };
  // Answers requests when this returns.
  static Result<Daemon> start(const std::filesystem::path& folder, const Options& options);
  Daemon(Daemon&& other) noexcept = default;
  Daemon& operator=(Daemon&&) = delete;
  // Ends it with SIGTERM if it still runs.
  ~Daemon();

  // Ends it with SIGTERM. An error unless it ends well.
  Result<void> stop();
  // Runs arenactl as an operator would, but for what it prints. An error unless it ends well.
  [[nodiscard]] Result<void> run_arenactl(const std::vector<std::string>& arguments) const;
  // Lines of its log with this text in them, so far.
  [[nodiscard]] uint64_t logged(const std::string& text) const;
  [[nodiscard]] std::string socket() const { return (folder_ / "arenad.sock").string(); }
  [[nodiscard]] Result<ControlClient> connect() const { return ControlClient::connect(socket()); }

 private:
  Daemon(Fd pidfd, std::filesystem::path folder) : pidfd_(std::move(pidfd)), folder_(std::move(folder)) {}
  Result<void> wait_until_ready();
  [[nodiscard]] std::string last_log_lines() const;

  Fd pidfd_;
  std::filesystem::path folder_;
};

// Returns when the arena runs. The parameters that the game is started with: key, value.
Result<void> start_arena(ControlClient& control, const std::string& game, const std::string& name,
                         const std::vector<std::pair<std::string, std::string>>& params);
Result<void> stop_arena(ControlClient& control, const std::string& name);
// How many arenas run.
Result<uint64_t> running_arenas(ControlClient& control);

}  // namespace arenad::bench
