#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/arena_fields.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

class UndrainCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "undrain",
            .summary = "Takes back a drain: new arenas again, and no deadline for those that run",
            .example = "arenactl undrain --all",
            .details =
                "Without an arena, as with --all, arenad takes new arenas again. An arena that drains is not stopped at its\n"
                "deadline any more. Its game has been told to end the match, and nothing takes that back: it ends the match\n"
                "when it will. Who waits for the end of the drain (arenactl drain) is told that the arena goes on.\n\n"
                "Examples:\n"
                "  arenactl undrain --all\n"
                "  arenactl undrain duel-1\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    selection_.all = selection_.arenas.empty();
    const ExitCode code =
        act_on_arenas(session, selection_, options_,
                      {.would = "would go on",
                       .fill = [&](wire::Request::Builder request) { fill_selection(request.initUndrain(), selection_); },
                       .if_none = "no arena was draining",
                       .concerns = [](wire::ArenaStatus::Reader arena) { return text_of(arena.getState()) == "draining"; }});
    if (selection_.all && !options_.dry_run && code == ExitCode::ok) session.console.note("arenad takes new arenas");
    return code;
  }

 private:
  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> undrain_command() {
  return std::make_unique<UndrainCommand>();
}

}  // namespace arenad::cli
