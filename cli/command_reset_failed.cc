#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

class ResetFailedCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "reset-failed",
            .summary = "Forgets the crashes of arenas, which have all of their restarts again",
            .example = "arenactl reset-failed duel-1",
            .details =
                "Without an arena, as with --all, those of every arena that has crashed. What has failed stays so, with its\n"
                "state: arenactl restart lets it go on. One that waits for its next restart waits on; after it, the next\n"
                "crash counts as the first. The total of restarts, and arenactl crashes, are not touched.\n\n"
                "Examples:\n"
                "  arenactl reset-failed\n"
                "  arenactl reset-failed 'duel-*' && arenactl restart 'duel-*'\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    selection_.all = selection_.arenas.empty();
    return act_on_arenas(session, selection_, options_,
                         {.would = "would have its crashes forgotten",
                          .fill = [&](wire::Request::Builder request) { fill(request.initResetFailed()); },
                          .if_none = "no arena has crashed",
                          .reaches_resting = true,
                          .concerns = [](wire::ArenaStatus::Reader arena) { return arena.getRestarts() != 0; }});
  }

 private:
  void fill(wire::Selection::Builder builder) const {
    fill_selection(builder, selection_);
    builder.setFinished(true);
  }

  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> reset_failed_command() {
  return std::make_unique<ResetFailedCommand>();
}

}  // namespace arenad::cli
