// reload and rollback: other code for arenas that run.
#include <filesystem>
#include <fmt/format.h>
#include <set>

#include <CLI/App.hpp>

#include "cli/arena_fields.h"
#include "cli/command.h"
#include "cli/module_file.h"
#include "cli/rollout_options.h"
#include "cli/rollout_watch.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr const char* kHowItGoes =
    "The canary comes first, alone; then one batch after the other. An arena that fails on probation gets its old code\n"
    "again, nothing else begins, new arenas get the old code, and the rollout has failed. It goes on in arenad, and in the\n"
    "next one if that dies, whether anybody waits or not: Ctrl-C, or --timeout, which is none unless it is given, only ends\n"
    "the waiting, with exit code 5.\n";

class ReloadCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "reload",
            .summary = "Gives arenas of a game new code while they run, and waits until it has proved itself",
            .example = "arenactl reload tanks build/games/tanks.so",
            .details =
                std::string(
                    "MODULE.so is opened here and sent to arenad; so is ARENA-WORKER, the program that runs it. What is not\n"
                    "given stays as it is. --runtime without a file takes the program that is installed where arenad's\n"
                    "configuration says, as it is now. Without GAME all games get it, one rollout after the other, and the\n"
                    "first that fails is the last; with --no-wait all of them begin.\n"
                    "A match goes on where it was, and new arenas get the new code too. Pinned arenas are left out.\n") +
                kHowItGoes +
                "\n"
                "Examples:\n"
                "  arenactl reload tanks build/games/tanks.so --dry-run\n"
                "  arenactl reload tanks build/games/tanks.so --canary 2 --batch 10 --probation 30s\n"
                "  arenactl reload tanks build/games/tanks.so --on-failure rollback-all --timeout 10m\n"
                "  arenactl reload tanks build/games/tanks.so --arenas 'duel-*' 'ladder-*'\n"
                "  arenactl reload tanks --runtime build/worker/arena-worker\n"
                "  arenactl reload --runtime\n",
            .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Whose arenas, as arenad's configuration calls it; with --runtime: all games without it")
        ->option_text(" ");
    app.add_option("MODULE.so", module_, "The file with the new code")->option_text(" ");
    const CLI::Option* runtime =
        app.add_option("--runtime", runtime_, "The program that runs it; without a file: the one that is installed")
            ->expected(0, 1)
            ->option_text("[ARENA-WORKER]");
    app.add_option("--arenas", arenas_, "Only these: names, ids, or globs over names")->option_text("GLOB...");
    // The parser is gone when this runs.
    app.callback([this, runtime] { has_runtime_ = runtime->count() != 0; });
    options_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = options_.check(); !checked) return session.fail(checked.error());
    if (const auto opened = open_files(); !opened) return session.fail(opened.error());
    return game_.empty() ? roll_out_everywhere(session) : roll_out(session, game_);
  }

 private:
  Result<void> open_files() {
    if (module_.empty() && !has_runtime_) {
      return make_error(ErrorCode::invalid,
                        game_.empty() ? "which game? arenactl reload GAME MODULE.so, or arenactl reload --runtime for all"
                                      : "what shall " + game_ + " get? Give MODULE.so, --runtime, or both");
    }
    if (!module_.empty()) {
      auto module = open_module(module_);
      if (!module) return module.error();
      files_.push_back(std::move(*module));
    }
    if (!runtime_.empty()) {
      auto runtime = open_runtime(runtime_);
      if (!runtime) return runtime.error();
      files_.push_back(std::move(*runtime));
    }
    return {};
  }

  [[nodiscard]] ExitCode roll_out(const Session& session, const std::string& game) const {
    RolloutRequest request{.fill = [&](wire::Request::Builder to) { fill(to.initReload(), game); }, .fds = {}};
    for (const Fd& file : files_) request.fds.push_back(file.get());
    return run_rollout(session, options_, request);
  }

  [[nodiscard]] ExitCode roll_out_everywhere(const Session& session) const {
    const uint64_t limit_ms = session.timeout_ms.value_or(0);
    const uint64_t deadline_ns = monotonic_ns() + limit_ms * kMillisecond;
    const auto games = all_games(session);
    if (!games) return session.fail(games.error());
    if (games.value().empty()) session.console.note("arenad has no games");
    for (auto game = games.value().begin(); game != games.value().end(); ++game) {
      Session within = session;
      if (limit_ms != 0) {
        // 0 would be no limit.
        const uint64_t now = monotonic_ns();
        within.timeout_ms = now < deadline_ns ? (deadline_ns - now) / kMillisecond + 1 : 1;
      }
      const ExitCode code = roll_out(within, *game);
      if (code == ExitCode::ok) continue;
      const std::vector<std::string> others(std::next(game), games.value().end());
      if (!others.empty())
        session.console.note(fmt::format("not begun: {}", printable(fmt::format("{}", fmt::join(others, ", ")))));
      return code;
    }
    return ExitCode::ok;
  }

  static Result<std::vector<std::string>> all_games(const Session& session) {
    std::set<std::string> games;
    const auto asked = try_ask(session, {.fill = [](wire::Request::Builder request) { request.setVersions(""); },
                                         .expected = wire::Reply::VERSIONS,
                                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                           for (const auto version : reply.getVersions())
                                             games.insert(text_of(version.getGame()));
                                           return ExitCode::ok;
                                         }});
    if (!asked) return asked.error();
    return std::vector<std::string>(games.begin(), games.end());
  }

  void fill(wire::Reload::Builder reload, const std::string& game) const {
    options_.fill(reload);
    reload.setGame(game);
    if (!module_.empty()) reload.setFile(std::filesystem::path(module_).filename().string());
    if (!runtime_.empty()) reload.setRuntime(std::filesystem::path(runtime_).filename().string());
    reload.setInstalledRuntime(has_runtime_ && runtime_.empty());
    auto arenas = reload.initArenas(static_cast<unsigned>(arenas_.size()));
    for (unsigned i = 0; i < arenas.size(); ++i) arenas.set(i, arenas_[i]);
  }

  std::string game_;
  std::string module_;
  std::string runtime_;
  bool has_runtime_ = false;
  std::vector<Fd> files_;  // in the order in which they are sent
  std::vector<std::string> arenas_;
  RolloutOptions options_;
};

class RollbackCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "rollback",
        .summary = "Gives the arenas of a game the previous code again, as reload does",
        .example = "arenactl rollback tanks",
        .details = std::string("After a rollout that has failed or was aborted: the code that new arenas get, for those that\n"
                               "it has left with other code. Else the previous one: arenactl versions GAME. Pinned arenas are\n"
                               "left out.\n") +
                   kHowItGoes +
                   "\n"
                   "Examples:\n"
                   "  arenactl rollback tanks\n"
                   "  arenactl rollback tanks --canary 0 --batch 100%\n",
        .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Whose arenas, as arenad's configuration calls it")->required()->option_text(" ");
    options_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = options_.check(); !checked) return session.fail(checked.error());
    return run_rollout(session, options_,
                       {.fill = [&](wire::Request::Builder request) { fill(request.initRollback()); }, .fds = {}});
  }

 private:
  void fill(wire::Reload::Builder reload) const {
    options_.fill(reload);
    reload.setGame(game_);
  }

  std::string game_;
  RolloutOptions options_;
};

}  // namespace

std::unique_ptr<Command> reload_command() {
  return std::make_unique<ReloadCommand>();
}

std::unique_ptr<Command> rollback_command() {
  return std::make_unique<RollbackCommand>();
}

}  // namespace arenad::cli
