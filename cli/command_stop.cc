#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

class StopCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "stop",
            .summary = "Stops arenas now, with their state kept",
            .example = "arenactl stop duel-1",
            .details =
                "Players are cut off. What an arena was is kept: arenactl restart lets the match go on. To let matches\n"
                "come to their end instead, see arenactl drain.\n\n"
                "Examples:\n"
                "  arenactl stop duel-1 duel-2\n"
                "  arenactl stop game:tanks --dry-run\n"
                "  arenactl stop --all --yes\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_yes(app, options_, "really all are meant");
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto allowed = check(session); !allowed) return session.fail(allowed.error());
    return act_on_arenas(session, selection_, options_,
                         {.would = "would be stopped", .doing = "stopping", .fill = [&](wire::Request::Builder request) {
                            fill_selection(request.initStop(), selection_);
                          }});
  }

 private:
  [[nodiscard]] Result<void> check(const Session& session) const {
    if (auto checked = check_selection(selection_, Nothing::refused); !checked) return checked;
    return confirm_if_all(session, selection_, options_, "stop");
  }

  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> stop_command() {
  return std::make_unique<StopCommand>();
}

}  // namespace arenad::cli
