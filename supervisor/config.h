// The configuration of arenad: a TOML file, checked as a whole before any of it is believed.
//
// The keys, their ranges and their explanations stand in config_keys.cc, once; their defaults stand
// here, once. Whether the programs and modules that a file names exist is not looked at here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ipc/cage_options.h"
#include "ipc/limits.h"
#include "supervisor/line_limit.h"
#include "supervisor/restart_budget.h"

namespace arenad {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat {
  automatic,  // to the journal where it reads standard error, plain otherwise
  plain,
  logfmt,
};

struct DaemonConfig {
  std::filesystem::path directory = "/var/lib/arenad";
  std::filesystem::path runtime_directory = "/run/arenad";
  std::filesystem::path socket = "arenad.sock";  // use socket_path()
  std::filesystem::path worker;                  // empty: arena-worker beside arenad's own program
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;

  [[nodiscard]] std::filesystem::path socket_path() const { return runtime_directory / socket; }
  [[nodiscard]] std::filesystem::path workers_socket_path() const { return runtime_directory / "workers.sock"; }
  [[nodiscard]] std::filesystem::path database_path() const { return directory / "arenad.db"; }
  bool operator==(const DaemonConfig&) const = default;
};

struct LogsConfig {
  uint64_t lines_per_s = 100;
  uint64_t burst = 1000;
  uint64_t keep_lines = 200;

  [[nodiscard]] LineRate rate() const { return {lines_per_s, burst}; }
  bool operator==(const LogsConfig&) const = default;
};

struct CheckpointConfig {
  uint64_t interval_ms = 1000;
  uint64_t alarm_ms = 10'000;  // 0: never
  bool operator==(const CheckpointConfig&) const = default;
};

struct SnapshotConfig {
  uint64_t interval_ms = 500;
  bool operator==(const SnapshotConfig&) const = default;
};

struct ArenasConfig {
  uint64_t max_arenas = 4000;
  uint64_t shared_memory_mib = 0;  // 0: no limit
  uint64_t ready_timeout_ms = 10'000;
  uint64_t stop_timeout_ms = 5000;
  uint64_t keep_finished = 1000;
  uint64_t orphan_timeout_ms = 60'000;
  uint64_t adoption_timeout_ms = 2000;
  uint64_t reclaim_timeout_ms = 5000;
  bool operator==(const ArenasConfig&) const = default;
};

struct RestartConfig {
  uint64_t intensity = 5;
  uint64_t window_ms = 60'000;
  uint64_t first_delay_ms = 50;
  uint64_t max_delay_ms = 5000;
  uint64_t healthy_ms = 30'000;

  [[nodiscard]] RestartPolicy policy() const;
  bool operator==(const RestartConfig&) const = default;
};

struct HangConfig {
  uint64_t soft_limit_ms = 100;
  uint64_t hard_limit_ms = 2000;
  bool operator==(const HangConfig&) const = default;
};

enum class OnDivergence { go_on, stop };

struct SparesConfig {
  uint64_t per_game = 2;
  bool operator==(const SparesConfig&) const = default;
};

struct ChannelsConfig {
  uint64_t max_event_bytes = limits::kMaxEventBytes;
  uint64_t default_bytes = limits::kDefaultChannelBytes;
  uint64_t max_bytes = limits::kMaxChannelBytes;
  bool operator==(const ChannelsConfig&) const = default;
};

struct CageConfig {
  CageMode enforce = CageMode::kill;
  uint64_t memory_mib = 1024;  // 0: no limit
  bool core_dumps = false;
  std::string groups = "auto";  // or "off", or the path of a control group
  bool operator==(const CageConfig&) const = default;
};

// [games.NAME]. What a game does not set is filled in from the sections above when it is loaded.
struct GameConfig {
  std::filesystem::path module;
  uint64_t spares = 0;
  uint64_t snapshot_interval_ms = 0;
  uint64_t soft_limit_ms = 0;
  uint64_t hard_limit_ms = 0;
  OnDivergence on_divergence = OnDivergence::go_on;
  uint64_t output_ring_bytes = 0;  // 0: from the module's max_frame_output_bytes
  uint64_t frame_log_bytes = limits::kFrameLogBytes;
  CageMode cage = CageMode::kill;
  uint64_t memory_mib = CageConfig{}.memory_mib;
  bool core_dumps = false;  // of [cage]; a game has no key for it
  bool network = false;
  bool threads = false;
  std::vector<std::string> readable;
  std::vector<std::string> writable;
  std::vector<std::string> system_calls;
  bool operator==(const GameConfig&) const = default;
};

// Users and groups by their names or numbers (access.h).
struct AccessConfig {
  std::string socket_group;  // empty: that of arenad
  std::vector<std::string> read_users;
  std::vector<std::string> read_groups;
  std::vector<std::string> operate_users;
  std::vector<std::string> operate_groups;
  std::vector<std::string> administer_users;
  std::vector<std::string> administer_groups;
  bool operator==(const AccessConfig&) const = default;
};

struct MetricsConfig {
  std::string listen = "unix:metrics.sock";  // metrics_address.h
  uint64_t max_arenas_with_series = 200;
  bool operator==(const MetricsConfig&) const = default;
};

struct Config {
  DaemonConfig daemon;
  LogsConfig logs;
  AccessConfig access;
  MetricsConfig metrics;
  CheckpointConfig checkpoint;
  SnapshotConfig snapshot;
  ArenasConfig arenas;
  RestartConfig restart;
  HangConfig hang;
  SparesConfig spares;
  ChannelsConfig channels;
  CageConfig cage;
  std::map<std::string, GameConfig, std::less<>> games;  // by name
  bool operator==(const Config&) const = default;
};

struct ConfigProblem {
  std::string file;
  uint32_t line = 0;    // 0: of the file as a whole
  uint32_t column = 0;  // 0: of the line as a whole
  std::string key;      // with its sections; empty: not of one key
  std::string message;  // what is expected, and what is there instead

  // "arenad.toml:12: games.tanks.spares: expected a whole number from 0 to 64, got "two""
  [[nodiscard]] std::string text() const;
};

// A configuration without any problem, or everything that is wrong, in the order of the file.
using LoadedConfig = std::variant<Config, std::vector<ConfigProblem>>;

// Relative paths in the file are relative to the file's folder.
LoadedConfig load_config(const std::filesystem::path& file);

// The same for text that has been read already: file is only named in problems.
LoadedConfig parse_config(std::string_view text, std::string_view file, const std::filesystem::path& folder);

// A configuration file with every key, its default, its range and its explanation.
std::string default_config_text();

}  // namespace arenad
