#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

class RestartCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "restart",
            .summary = "Moves arenas to new processes, with all of their state",
            .example = "arenactl restart duel-1 'ladder-*'",
            .details =
                "A match goes on where it was, and players see a pause at most. This is also how an arena that has\n"
                "failed or was stopped is put back to work.\n\n"
                "Examples:\n"
                "  arenactl restart duel-1\n"
                "  arenactl restart 'ladder-*'\n"
                "  arenactl restart game:tanks --no-wait\n"
                "  arenactl restart --all\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::refused); !checked) return session.fail(checked.error());
    return act_on_arenas(session, selection_, options_,
                         {.would = "would be restarted",
                          .doing = "restarting",
                          .fill = [&](wire::Request::Builder request) { fill_selection(request.initRestart(), selection_); },
                          .is_done = has_moved});
  }

 private:
  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> restart_command() {
  return std::make_unique<RestartCommand>();
}

}  // namespace arenad::cli
