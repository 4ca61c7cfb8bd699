#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

class SnapshotCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "snapshot",
            .summary = "Brings the present state of arenas to the database, and waits until it is there",
            .example = "arenactl snapshot duel-1",
            .details =
                "What has happened in an arena until now survives the death of the machine when this is done. Without it that\n"
                "comes by itself, within snapshot.interval_ms and checkpoint.interval_ms. Players notice nothing.\n\n"
                "Examples:\n"
                "  arenactl snapshot duel-1\n"
                "  arenactl snapshot --all --timeout 5s\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::refused); !checked) return session.fail(checked.error());
    return act_on_arenas(session, selection_, options_,
                         {.would = "would be brought to the database",
                          .doing = "bringing to the database",
                          .fill = [&](wire::Request::Builder request) { fill_selection(request.initSnapshot(), selection_); },
                          .is_done = is_durable});
  }

 private:
  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> snapshot_command() {
  return std::make_unique<SnapshotCommand>();
}

}  // namespace arenad::cli
