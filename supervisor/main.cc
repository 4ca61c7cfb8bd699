// arenad: the supervisor. Runs in the foreground and logs to standard error; whoever starts it (systemd, a keeper, a shell)
// keeps it running.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "ipc/process.h"
#include "supervisor/arena_groups.h"
#include "supervisor/cage.h"
#include "supervisor/command_line.h"
#include "supervisor/config.h"
#include "supervisor/config_files.h"
#include "supervisor/give_up.h"
#include "supervisor/held_signal.h"
#include "supervisor/log.h"
#include "supervisor/supervisor.h"

namespace {

constexpr uint64_t kWantedOpenFiles = 262'144;

int could_not_begin() {
  arenad::pause_before_next_start();
  return 1;
}

void report(const std::vector<arenad::ConfigProblem>& problems) {
  for (const auto& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
}

std::string worker_program(const arenad::Config& config, const char* self) {
  if (!config.daemon.worker.empty()) return config.daemon.worker.string();
  std::error_code error;
  auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) own = self;
  const auto beside = own.parent_path() / "arena-worker";
  if (std::filesystem::exists(beside)) return beside.string();
  // In a build folder each program has a folder of its own.
  return (own.parent_path().parent_path() / "worker" / "arena-worker").string();
}

// What a reload of the configuration refuses too.
arenad::Result<void> has_all_games(arenad::wire::UpgradeState::Reader state, const arenad::Config& config) {
  for (const auto arena : state.getArenas()) {
    const auto arena_state = static_cast<arenad::ArenaState>(arena.getLifecycle().getState());
    const std::string game(arena.getGame().begin(), arena.getGame().size());
    if (config.games.contains(game) || !arenad::ArenaLifecycle(arena_state, {}).is_active()) continue;
    return arenad::make_error(arenad::ErrorCode::refused, "the configuration has no game " + game + " any more, and arena " +
                                                              std::string(arena.getName().begin(), arena.getName().size()) +
                                                              " runs it");
  }
  return {};
}

// Whether this program, with this configuration, could go on where another one is.
arenad::Result<void> can_take_over(arenad::wire::UpgradeState::Reader state, const arenad::Config& all) {
  const arenad::DaemonConfig& config = all.daemon;
  const auto stays = [](const std::string& key, const std::string& now, capnp::Text::Reader before) -> arenad::Result<void> {
    const std::string was(before.begin(), before.size());
    if (now == was) return {};
    return arenad::make_error(arenad::ErrorCode::refused,
                              "the configuration has another " + key + " now, " + now + ", and arenas that run are at " + was);
  };
  auto same = stays("daemon.directory", config.directory.string(), state.getDirectory());
  if (same) same = stays("daemon.socket", config.socket_path().string(), state.getControlSocket());
  if (same) same = stays("daemon.runtime_directory", config.workers_socket_path().string(), state.getWorkersSocket());
  return same ? has_all_games(state, all) : same;
}

int run(const arenad::Config& config, arenad::Supervisor::Program program) {
  arenad::Log log(config);
  program.log = &log.book();
  if (auto handed = arenad::take_handed_on_fd()) {
    arenad::set_process_name("arenad");  // execve(2) by descriptor has named it after that
    auto state = arenad::HandedOn::read(*handed);
    if (!state) {
      spdlog::error("msg=\"{}\"", state.error().text());
      return could_not_begin();
    }
    state->keep_from_children();
    program.handed = std::move(*state);
  }
  arenad::close_own_memory();
  for (const std::string& gap : arenad::cage_gaps()) spdlog::warn("msg=\"the cage around game code has a gap: {}\"", gap);
  for (const auto& [name, game] : config.games) {
    if (game.cage != arenad::CageMode::kill) {
      spdlog::warn("game={} msg=\"its code runs {}, as the configuration says\"", name,
                   game.cage == arenad::CageMode::off ? "without a cage" : "in a cage that only logs");
    }
  }
  // A worker needs three descriptors and a client's channel one: thousands of arenas need many.
  const uint64_t files = arenad::raise_open_files_limit(kWantedOpenFiles);
  if (files < kWantedOpenFiles) spdlog::info("msg=\"at most {} open files: raise LimitNOFILE for more arenas\"", files);
  auto supervisor = arenad::Supervisor::open(config, std::move(program));
  if (!supervisor) {
    spdlog::error("msg=\"{}\"", supervisor.error().text());
    return could_not_begin();
  }
  const bool began = (*supervisor)->run();
  spdlog::info("msg=\"stopped\"");
  return began ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) arenad::hold_signal(signal);  // until the supervisor listens for them
  arenad::DaemonCommandLine given;
  const auto command_line = arenad::daemon_command_line(given);
  try {
    command_line->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return command_line->exit(e) == 0 ? 0 : 2;
  }
  if (given.print_default_config) {
    std::fputs(arenad::default_config_text().c_str(), stdout);
    return 0;
  }
  if (given.release_groups) {
    const auto released = arenad::release_groups();
    if (!released) std::fprintf(stderr, "arenad: %s\n", released.error().text().c_str());
    return released ? 0 : 1;
  }
  // It is read again later, wherever arenad's own folder is then.
  std::string path = given.config;
  std::error_code no_folder;
  if (const auto whole = std::filesystem::absolute(path, no_folder); !no_folder) path = whole.string();
  const arenad::FileStamp stamp = arenad::file_stamp(path);
  const auto loaded = arenad::load_config(path);
  if (const auto* problems = std::get_if<std::vector<arenad::ConfigProblem>>(&loaded)) {
    if (!given.can_take_over) {
      report(*problems);
      return given.check_config ? 1 : could_not_begin();
    }
    return arenad::answer_can_take_over(
        [&](auto) -> arenad::Result<void> { return arenad::make_error(arenad::ErrorCode::invalid, problems->front().text()); });
  }
  const auto& config = std::get<arenad::Config>(loaded);
  ::signal(SIGPIPE, SIG_IGN);
  if (given.can_take_over) {
    return arenad::answer_can_take_over([&](auto state) { return can_take_over(state, config); });
  }
  if (const auto missing = arenad::missing_files(config, path, worker_program(config, argv[0])); !missing.empty()) {
    report(missing);
    // They may be put in place later, and arenas that run already need an arenad.
    if (given.check_config) return 1;
  }
  if (given.check_config) {
    std::printf("%s: no problems\n", path.c_str());
    return 0;
  }
  arenad::hold_signal(SIGTERM);
  arenad::hold_signal(SIGINT);
  arenad::hold_signal(SIGQUIT);
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of a write
  return run(config, {path, stamp, worker_program(config, argv[0]), {argv, argv + argc}, std::nullopt, nullptr});
}
