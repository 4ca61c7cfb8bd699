#include "chaos/daemon_process.h"

#include <csignal>
#include <fmt/format.h>

#include "chaos/files.h"

namespace arenad::chaos {
namespace {

// A TOML basic string (toml.io/en/v1.0.0#string).
std::string quoted(const std::filesystem::path& path) {
  std::string result = "\"";
  for (const char c : path.string()) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// Less than a run waits: an arenad that does not end is killed by its keeper, who then says so.
constexpr const char* kStopTimeoutMs = "50000";

std::filesystem::path state_folder(const std::filesystem::path& folder) {
  return folder / "state";
}
std::filesystem::path runtime_folder(const std::filesystem::path& folder) {
  return folder / "run";
}

}  // namespace

std::string daemon_config(const Programs& programs, const std::filesystem::path& folder) {
  return fmt::format(
      "[daemon]\ndirectory = {}\nruntime_directory = {}\nsocket = \"arenad.sock\"\nworker = {}\nlog_format = \"plain\"\n\n"
      "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n\n"
      "[games.tanks]\nmodule = {}\n",
      quoted(state_folder(folder)), quoted(runtime_folder(folder)), quoted(programs.worker), quoted(programs.game));
}

Result<DaemonProcess> DaemonProcess::start(const Programs& programs, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directory(state_folder(folder), error);
  if (!error) std::filesystem::create_directory(runtime_folder(folder), error);
  if (error) return make_error(ErrorCode::failed, "cannot make folders in " + folder.string() + ": " + error.message());
  const auto config = folder / "arenad.toml";
  if (auto written = write_file(config, daemon_config(programs, folder)); !written) return written.error();
  const auto log = folder / "arenad.log";
  auto process = ChildProcess::start(
      {.program = programs.keeper,
       .arguments = {"--stop-timeout", kStopTimeoutMs, "--", programs.daemon.string(), "--config", config.string()},
       .log = log,
       .signal_if_orphaned = SIGTERM});
  if (!process) return process.error();
  return DaemonProcess(std::move(*process), runtime_folder(folder) / "arenad.sock", log);
}

std::vector<std::string> DaemonProcess::troubles(uint64_t arenads_killed) const {
  std::vector<std::string> lines = lines_with(log_, "arena-keeper: ");
  uint64_t left = arenads_killed;
  std::erase_if(lines, [&left](const std::string& line) {
    if (left == 0 || line.find(" has died (signal=KILL)") == std::string::npos) return false;
    --left;
    return true;
  });
  return lines;
}

Result<void> DaemonProcess::stop(uint64_t timeout_ms) {
  process_.signal(SIGTERM);
  const auto exit = process_.wait(timeout_ms);
  if (!exit) return make_error(ErrorCode::timeout, "arenad has not ended " + std::to_string(timeout_ms) + " ms after SIGTERM");
  if (exit->how != Exit::How::exited || exit->value != 0) {
    return make_error(ErrorCode::failed, "arenad has ended with " + exit->text() + ":\n" + last_lines(log_, 10));
  }
  std::error_code error;
  if (std::filesystem::exists(socket_, error)) return make_error(ErrorCode::failed, "arenad has left its socket behind");
  return {};
}

}  // namespace arenad::chaos
