// reload and rollback: other code for arenas that run.
#include <filesystem>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/module_file.h"
#include "cli/rollout_options.h"
#include "cli/rollout_watch.h"

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
                std::string("MODULE.so is opened here and sent to arenad. A match goes on where it was, and new arenas get the "
                            "new code too.\n"
                            "Pinned arenas are left out.\n") +
                kHowItGoes +
                "\n"
                "Examples:\n"
                "  arenactl reload tanks build/games/tanks.so --dry-run\n"
                "  arenactl reload tanks build/games/tanks.so --canary 2 --batch 10 --probation 30s\n"
                "  arenactl reload tanks build/games/tanks.so --on-failure rollback-all --timeout 10m\n"
                "  arenactl reload tanks build/games/tanks.so --arenas 'duel-*' 'ladder-*'\n",
            .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Whose arenas, as arenad's configuration calls it")->required()->option_text(" ");
    app.add_option("MODULE.so", module_, "The file with the new code")->required()->option_text(" ");
    app.add_option("--arenas", arenas_, "Only these: names, ids, or globs over names")->option_text("GLOB...");
    options_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = options_.check(); !checked) return session.fail(checked.error());
    const auto module = open_module(module_);
    if (!module) return session.fail(module.error());
    return run_rollout(
        session, options_,
        {.fill = [&](wire::Request::Builder request) { fill(request.initReload()); }, .fds = {module.value().get()}});
  }

 private:
  void fill(wire::Reload::Builder reload) const {
    options_.fill(reload);
    reload.setGame(game_);
    reload.setFile(std::filesystem::path(module_).filename().string());
    auto arenas = reload.initArenas(static_cast<unsigned>(arenas_.size()));
    for (unsigned i = 0; i < arenas.size(); ++i) arenas.set(i, arenas_[i]);
  }

  std::string game_;
  std::string module_;
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
