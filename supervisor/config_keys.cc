#include "supervisor/config_keys.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

namespace arenad {
namespace {

constexpr uint64_t kMinuteMs = 60'000;
constexpr uint64_t kHourMs = 60 * kMinuteMs;
constexpr uint64_t kMiB = 1024 * 1024;

constexpr std::array<std::string_view, 4> kLogLevels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 3> kLogFormats{"auto", "plain", "logfmt"};
constexpr std::array<std::string_view, 3> kCageModes{"kill", "log", "off"};
constexpr std::array<std::string_view, 2> kOnDivergence{"go-on", "stop"};

// Where a value lives, for the table below.
template <auto Section, auto Member>
auto& in(ConfigTarget target) {
  return target.config.*Section.*Member;
}
template <auto Member>
auto& in_game(ConfigTarget target) {
  return target.game.*Member;
}

template <auto Member>
constexpr ChoiceKey game_choice(std::span<const std::string_view> names) {
  using Value = std::remove_reference_t<decltype(in_game<Member>(std::declval<ConfigTarget>()))>;
  return {names, [](ConfigTarget target, size_t index) { in_game<Member>(target) = static_cast<Value>(index); },
          [](ConfigTarget target) { return static_cast<size_t>(in_game<Member>(target)); }};
}

template <auto Section, auto Member>
constexpr ChoiceKey choice(std::span<const std::string_view> names) {
  using Value = std::remove_reference_t<decltype(in<Section, Member>(std::declval<ConfigTarget>()))>;
  return {names, [](ConfigTarget target, size_t index) { in<Section, Member>(target) = static_cast<Value>(index); },
          [](ConfigTarget target) { return static_cast<size_t>(in<Section, Member>(target)); }};
}

using enum TakesEffect;

constexpr std::array kKeys{
    ConfigKey{"daemon", "directory", after_restart, "What must survive a restart of the machine: the database.",
              PathKey{in<&Config::daemon, &DaemonConfig::directory>}},
    ConfigKey{"daemon", "runtime_directory", after_restart, "What need not: the control socket.",
              PathKey{in<&Config::daemon, &DaemonConfig::runtime_directory>}},
    ConfigKey{"daemon", "socket", after_restart, "The control socket, relative to runtime_directory.",
              PathKey{in<&Config::daemon, &DaemonConfig::socket>, RelativeTo::runtime_directory}},
    ConfigKey{"daemon", "worker", after_restart, "The program arena-worker. Empty: the one beside arenad's own program.",
              PathKey{in<&Config::daemon, &DaemonConfig::worker>, RelativeTo::file, EmptyPath::allowed}},
    ConfigKey{"daemon", "log_level", at_once, "The least important messages that are logged.",
              choice<&Config::daemon, &DaemonConfig::log_level>(kLogLevels)},
    ConfigKey{"daemon", "log_format", at_once,
              "plain: for a terminal. logfmt: key=value. auto: to systemd's journal with fields where it takes the log, plain "
              "otherwise.",
              choice<&Config::daemon, &DaemonConfig::log_format>(kLogFormats)},

    ConfigKey{"logs", "lines_per_s", at_once,
              "So many lines a second an arena's worker may log; more are left out, and counted.",
              NumberKey{in<&Config::logs, &LogsConfig::lines_per_s>, 1, 100'000}},
    ConfigKey{"logs", "burst", at_once, "So many at once, after a while of silence.",
              NumberKey{in<&Config::logs, &LogsConfig::burst>, 1, 1'000'000}},
    ConfigKey{"logs", "keep_lines", at_once,
              "So many lines of each arena are kept in memory for arenactl logs, but no more than 256 KiB of each, and 64 MiB "
              "of all.",
              NumberKey{in<&Config::logs, &LogsConfig::keep_lines>, 1, 10'000}},

    ConfigKey{"access", "socket_group", at_once,
              "The group of the control socket: its members, and those of the user of arenad, can connect. Empty: arenad's own "
              "group.",
              NameKey{in<&Config::access, &AccessConfig::socket_group>}},
    ConfigKey{
        "access", "read_users", at_once,
        "Who may see everything and change nothing. root and the user of arenad may everything; who is in no list may nothing.",
        NamesKey{in<&Config::access, &AccessConfig::read_users>}},
    ConfigKey{"access", "read_groups", at_once, "The same, by group.",
              NamesKey{in<&Config::access, &AccessConfig::read_groups>}},
    ConfigKey{"access", "operate_users", at_once,
              "Who may also play in matches, start, stop and handle arenas, and roll code back: a server that lets players in "
              "needs this.",
              NamesKey{in<&Config::access, &AccessConfig::operate_users>}},
    ConfigKey{"access", "operate_groups", at_once, "The same, by group.",
              NamesKey{in<&Config::access, &AccessConfig::operate_groups>}},
    ConfigKey{
        "access", "administer_users", at_once,
        "Who may also bring new code, which runs as the user of arenad, reload the configuration, and upgrade or end arenad.",
        NamesKey{in<&Config::access, &AccessConfig::administer_users>}},
    ConfigKey{"access", "administer_groups", at_once, "The same, by group.",
              NamesKey{in<&Config::access, &AccessConfig::administer_groups>}},

    ConfigKey{"metrics", "listen", at_once,
              "Where Prometheus gets metrics from, by HTTP at /metrics: a Unix socket, for those who may connect to the "
              "control socket and "
              "have the right to read, its path relative to runtime_directory; or a port on a loopback address, for everybody "
              "on this "
              "machine. \"\": nowhere.",
              MetricsAddressKey{in<&Config::metrics, &MetricsConfig::listen>}},
    ConfigKey{"metrics", "max_arenas_with_series", at_once,
              "So many arenas have metrics of their own, those first that began first. All are in the sums of their games.",
              NumberKey{in<&Config::metrics, &MetricsConfig::max_arenas_with_series>, 0, 100'000}},

    ConfigKey{"checkpoint", "interval_ms", at_once,
              "How often the newest snapshots of all arenas are made durable. A machine that dies "
              "loses at most this much.",
              NumberKey{in<&Config::checkpoint, &CheckpointConfig::interval_ms>, 10, 10 * kMinuteMs}},
    ConfigKey{"checkpoint", "alarm_ms", at_once,
              "When the database has taken nothing for this time, or something has waited for it so long, that is logged as an "
              "error and shown by arenactl status. 0: never.",
              NumberKey{in<&Config::checkpoint, &CheckpointConfig::alarm_ms>, 0, 24 * kHourMs}},

    ConfigKey{"snapshot", "interval_ms", when_begun,
              "How often an arena saves its state in shared memory. A worker that dies runs at most "
              "this much again.",
              NumberKey{in<&Config::snapshot, &SnapshotConfig::interval_ms>, 1, 10 * kMinuteMs}},

    ConfigKey{"arenas", "max_arenas", at_once, "More are refused.",
              NumberKey{in<&Config::arenas, &ArenasConfig::max_arenas>, 1, 100'000}},
    ConfigKey{"arenas", "shared_memory_mib", at_once,
              "Arenas are refused that would take more shared memory than this. 0: no limit.",
              NumberKey{in<&Config::arenas, &ArenasConfig::shared_memory_mib>, 0, 16 * kMiB}},
    ConfigKey{"arenas", "ready_timeout_ms", at_once,
              "A worker that has not begun to run frames in this time counts as crashed.",
              NumberKey{in<&Config::arenas, &ArenasConfig::ready_timeout_ms>, 100, kHourMs}},
    ConfigKey{"arenas", "stop_timeout_ms", at_once, "A worker that has not stopped in this time, when asked to, is killed.",
              NumberKey{in<&Config::arenas, &ArenasConfig::stop_timeout_ms>, 100, kHourMs}},
    ConfigKey{"arenas", "keep_finished", at_once, "How many finished arenas are kept to be looked at.",
              NumberKey{in<&Config::arenas, &ArenasConfig::keep_finished>, 0, 1'000'000}},
    ConfigKey{"arenas", "orphan_timeout_ms", when_begun,
              "When arenad is gone, workers go on for so long and wait for the next one; then they save and end.",
              NumberKey{in<&Config::arenas, &ArenasConfig::orphan_timeout_ms>, 0, 24 * kHourMs}},
    ConfigKey{
        "arenas", "adoption_timeout_ms", when_begun,
        "So long arenad waits, when it starts, for the workers of an earlier one. A worker that has not offered itself by "
        "then is ended, and its arena recovered.",
        NumberKey{in<&Config::arenas, &ArenasConfig::adoption_timeout_ms>, 100, kHourMs}},
    ConfigKey{"arenas", "reclaim_timeout_ms", when_begun,
              "So long the clients of an adopted arena have to come back; after that they count as dropped.",
              NumberKey{in<&Config::arenas, &ArenasConfig::reclaim_timeout_ms>, 100, kHourMs}},

    ConfigKey{"restart", "intensity", at_once,
              "Restarts in a window. An arena that would need more has failed: it is stopped, with "
              "all of its state kept, until an operator restarts it. 0: never restart.",
              NumberKey{in<&Config::restart, &RestartConfig::intensity>, 0, 1000}},
    ConfigKey{"restart", "window_ms", at_once, "The length of the window, which always ends now.",
              NumberKey{in<&Config::restart, &RestartConfig::window_ms>, 1000, 24 * kHourMs}},
    ConfigKey{"restart", "first_delay_ms", at_once,
              "The first restart is immediate, the second waits for this time, each further one "
              "twice as long as the one before.",
              NumberKey{in<&Config::restart, &RestartConfig::first_delay_ms>, 0, kHourMs}},
    ConfigKey{"restart", "max_delay_ms", at_once, "No restart waits longer than this.",
              NumberKey{in<&Config::restart, &RestartConfig::max_delay_ms>, 0, kHourMs}},
    ConfigKey{"restart", "healthy_ms", at_once, "An arena that ran for this time is restarted immediately again.",
              NumberKey{in<&Config::restart, &RestartConfig::healthy_ms>, 1, 24 * kHourMs}},

    ConfigKey{"hang", "soft_limit_ms", when_begun,
              "A frame that takes longer is slow: it is recorded, with a stack of where it was. 0: none is.",
              NumberKey{in<&Config::hang, &HangConfig::soft_limit_ms>, 0, kHourMs}},
    ConfigKey{"hang", "hard_limit_ms", at_once,
              "A worker that has not moved for this time is ended, and its arena recovered. 0: never.",
              NumberKey{in<&Config::hang, &HangConfig::hard_limit_ms>, 0, kHourMs}},

    ConfigKey{"spares", "per_game", at_once, "Processes that wait, with the module loaded, to become the worker of an arena.",
              NumberKey{in<&Config::spares, &SparesConfig::per_game>, 0, 64}},

    ConfigKey{"channels", "max_event_bytes", when_begun, "The largest event with its header; at most half of default_bytes.",
              NumberKey{in<&Config::channels, &ChannelsConfig::max_event_bytes>, 256, limits::kMaxEventBytes}},
    ConfigKey{"channels", "default_bytes", when_begun,
              "The ring in which a client's events lie until a checkpoint covers them.",
              NumberKey{in<&Config::channels, &ChannelsConfig::default_bytes>, limits::kMinChannelBytes,
                        limits::kMaxChannelBytes, Step::power_of_two}},
    ConfigKey{"channels", "max_bytes", when_begun, "The largest ring that a client may bring.",
              NumberKey{in<&Config::channels, &ChannelsConfig::max_bytes>, limits::kMinChannelBytes, limits::kMaxChannelBytes,
                        Step::power_of_two}},

    ConfigKey{"cage", "enforce", when_begun,
              "What is done when game code asks the system for something that its cage forbids (docs/the-cage.md). kill: the "
              "worker is ended, with the cause in its crash report. log: system calls are let through and the kernel's audit "
              "log names them, to find out what a game needs; files and signals are not watched. off: there is no cage.",
              choice<&Config::cage, &CageConfig::enforce>(kCageModes)},
    ConfigKey{"cage", "memory_mib", when_begun,
              "Private memory that an arena's worker may take, without the regions that it shares; allocations beyond it "
              "fail. 0: no limit.",
              NumberKey{in<&Config::cage, &CageConfig::memory_mib>, 0, 1024 * 1024}},
    ConfigKey{"cage", "core_dumps", when_begun,
              "Whether workers that crash may leave a core, where the system writes any. It holds the whole match.",
              FlagKey{in<&Config::cage, &CageConfig::core_dumps>}},
    ConfigKey{
        "cage", "groups", after_restart,
        "Where each worker gets a control group of its own, which bounds all of its memory and its threads. auto: below "
        "the one that was delegated to arenad, if any was. off: nowhere. A path, as in /proc/self/cgroup: below this one, "
        "in each hierarchy that has it; it must belong to arenad alone.",
        ControlGroupKey{in<&Config::cage, &CageConfig::groups>}},

    ConfigKey{kGamesSection, "module", when_begun, "The game module.", PathKey{in_game<&GameConfig::module>}},
    ConfigKey{kGamesSection, "spares", at_once, "Instead of per_game of [spares].",
              NumberKey{in_game<&GameConfig::spares>, 0, 64}},
    ConfigKey{kGamesSection, "snapshot_interval_ms", when_begun, "Instead of interval_ms of [snapshot].",
              NumberKey{in_game<&GameConfig::snapshot_interval_ms>, 1, 10 * kMinuteMs}},
    ConfigKey{kGamesSection, "soft_limit_ms", when_begun, "Instead of soft_limit_ms of [hang].",
              NumberKey{in_game<&GameConfig::soft_limit_ms>, 0, kHourMs}},
    ConfigKey{kGamesSection, "hard_limit_ms", at_once, "Instead of hard_limit_ms of [hang].",
              NumberKey{in_game<&GameConfig::hard_limit_ms>, 0, kHourMs}},
    ConfigKey{kGamesSection, "on_divergence", when_begun,
              "What happens when a frame that is run again after a crash gives other outputs than before, so that the game is "
              "not deterministic. go-on: it is counted, logged and shown. stop: the arena is failed, its state kept.",
              game_choice<&GameConfig::on_divergence>(kOnDivergence)},
    ConfigKey{kGamesSection, "output_ring_bytes", when_begun,
              "The ring in which an arena's outputs lie until clients have read them. 0: a size that "
              "follows from what the module says that a frame's outputs may take.",
              NumberKey{in_game<&GameConfig::output_ring_bytes>, limits::kMinOutputRingBytes, 256 * kMiB,
                        Step::zero_or_power_of_two}},
    ConfigKey{kGamesSection, "frame_log_bytes", when_begun,
              "The ring in which an arena's decided frames lie until a checkpoint covers them.",
              NumberKey{in_game<&GameConfig::frame_log_bytes>, 128 * 1024, 64 * kMiB, Step::power_of_two}},
    ConfigKey{kGamesSection, "enforce_cage", when_begun, "Instead of enforce of [cage].",
              game_choice<&GameConfig::cage>(kCageModes)},
    ConfigKey{kGamesSection, "memory_mib", when_begun, "Instead of memory_mib of [cage].",
              NumberKey{in_game<&GameConfig::memory_mib>, 0, 1024 * 1024}},
    ConfigKey{kGamesSection, "network", when_begun,
              "Whether its code may use the network. The service's own unit must allow it too.",
              FlagKey{in_game<&GameConfig::network>}},
    ConfigKey{kGamesSection, "threads", when_begun, "Whether its code may start threads.",
              FlagKey{in_game<&GameConfig::threads>}},
    ConfigKey{kGamesSection, "readable", when_begun,
              "Files and folders that its code may read, beside the system's libraries and the folder of its module.",
              PathsKey{in_game<&GameConfig::readable>}},
    ConfigKey{kGamesSection, "writable", when_begun, "Files and folders that its code may also write, make and remove.",
              PathsKey{in_game<&GameConfig::writable>}},
    ConfigKey{kGamesSection, "system_calls", when_begun,
              "System calls that its code may also make, by name. Each is a way out of the cage.",
              NamesKey{in_game<&GameConfig::system_calls>}},
};

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// What it costs to make `meant` of `typed` (Wagner and Fischer, 1974). What was left out costs half
// of what is wrong, because people abbreviate.
size_t edit_cost(std::string_view typed, std::string_view meant) {
  constexpr size_t kInsertion = 1;
  constexpr size_t kDeletion = 2;
  constexpr size_t kReplacement = 2;
  std::vector<size_t> row(meant.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (const char c : typed) {
    size_t diagonal = row[0];
    row[0] += kDeletion;
    for (size_t j = 0; j < meant.size(); ++j) {
      const size_t replaced = diagonal + (c == meant[j] ? 0 : kReplacement);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + kInsertion, row[j + 1] + kDeletion});
    }
  }
  return row.back();
}

// A key of the right name in the wrong section is nearer than one of another name in the right one.
size_t key_cost(const ConfigKey& key, std::string_view section, std::string_view name) {
  return edit_cost(name, key.name) + (key.section == section ? 0 : 1);
}

std::string expected(const NumberKey& key) {
  const std::string range = " from " + std::to_string(key.low) + " to " + std::to_string(key.high);
  switch (key.step) {
    case Step::any:
      return "a whole number" + range;
    case Step::power_of_two:
      return "a power of two" + range;
    case Step::zero_or_power_of_two:
      return "0 or a power of two" + range;
  }
  return {};
}

std::string expected(const PathKey& key) {
  return key.empty == EmptyPath::allowed ? "a path in quotes, or \"\"" : "a path in quotes";
}

std::string expected(const ChoiceKey& key) {
  std::string text;
  for (size_t i = 0; i < key.names.size(); ++i) {
    if (i > 0) text += i + 1 == key.names.size() ? " or " : ", ";
    text += in_quotes(key.names[i]);
  }
  return text;
}

std::string expected(const NameKey& /*key*/) {
  return "a name or a number in quotes, or \"\"";
}

std::string expected(const NamesKey& /*key*/) {
  return "a list of names or numbers, each in quotes";
}

std::string expected(const MetricsAddressKey& /*key*/) {
  return "\"unix:PATH\", \"127.0.0.1:PORT\", \"[::1]:PORT\" or \"\"; addresses that other machines reach are not allowed";
}

std::string expected(const ControlGroupKey& /*key*/) {
  return "\"auto\", \"off\" or the path of a control group, which begins with /";
}

std::string expected(const PathsKey& /*key*/) {
  return "a list of paths, each in quotes";
}

std::string expected(const FlagKey& /*key*/) {
  return "true or false";
}

std::string value(const NumberKey& key, ConfigTarget target) {
  return std::to_string(key.field(target));
}

std::string value(const PathKey& key, ConfigTarget target) {
  return in_quotes(key.field(target).native());
}

std::string value(const ChoiceKey& key, ConfigTarget target) {
  return in_quotes(key.names[key.get(target)]);
}

std::string value(const NameKey& key, ConfigTarget target) {
  return in_quotes(key.field(target));
}

std::string value(const MetricsAddressKey& key, ConfigTarget target) {
  return in_quotes(key.field(target));
}

std::string value(const ControlGroupKey& key, ConfigTarget target) {
  return in_quotes(key.field(target));
}

std::string list_text(const std::vector<std::string>& elements) {
  std::string text;
  for (const std::string& element : elements) text += (text.empty() ? "" : ", ") + in_quotes(element);
  return "[" + text + "]";
}

std::string value(const NamesKey& key, ConfigTarget target) {
  return list_text(key.field(target));
}

std::string value(const PathsKey& key, ConfigTarget target) {
  return list_text(key.field(target));
}

std::string value(const FlagKey& key, ConfigTarget target) {
  return key.field(target) ? "true" : "false";
}

template <class Key>
void copy(const Key& key, ConfigTarget from, ConfigTarget to) {
  key.field(to) = key.field(from);
}

void copy(const ChoiceKey& key, ConfigTarget from, ConfigTarget to) {
  key.set(to, key.get(from));
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

const ConfigKey* find_config_key(std::string_view section, std::string_view name) {
  const auto found =
      std::ranges::find_if(kKeys, [&](const ConfigKey& key) { return key.section == section && key.name == name; });
  return found == kKeys.end() ? nullptr : &*found;
}

bool is_config_section(std::string_view section) {
  return std::ranges::any_of(kKeys, [&](const ConfigKey& key) { return key.section == section; });
}

const ConfigKey& nearest_config_key(std::string_view section, std::string_view name) {
  return *std::ranges::min_element(kKeys, {}, [&](const ConfigKey& key) { return key_cost(key, section, name); });
}

std::string_view nearest_config_section(std::string_view section) {
  return std::ranges::min_element(kKeys, {}, [&](const ConfigKey& key) { return edit_cost(section, key.section); })->section;
}

std::string expected_value(const ConfigKey& key) {
  return std::visit([](const auto& kind) { return expected(kind); }, key.kind);
}

std::string value_text(const ConfigKey& key, ConfigTarget target) {
  return std::visit([&](const auto& kind) { return value(kind, target); }, key.kind);
}

void copy_value(const ConfigKey& key, ConfigTarget from, ConfigTarget to) {
  std::visit([&](const auto& kind) { copy(kind, from, to); }, key.kind);
}

std::string_view when_changed(TakesEffect takes_effect) {
  switch (takes_effect) {
    case TakesEffect::at_once:
      return "";
    case TakesEffect::when_begun:
      return " A change counts for what begins afterwards.";
    case TakesEffect::after_restart:
      return " A change needs a restart of arenad.";
  }
  return "";
}

GameConfig game_defaults(const Config& config) {
  GameConfig game;
  game.spares = config.spares.per_game;
  game.snapshot_interval_ms = config.snapshot.interval_ms;
  game.soft_limit_ms = config.hang.soft_limit_ms;
  game.hard_limit_ms = config.hang.hard_limit_ms;
  game.cage = config.cage.enforce;
  game.memory_mib = config.cage.memory_mib;
  game.core_dumps = config.cage.core_dumps;
  return game;
}

}  // namespace arenad
