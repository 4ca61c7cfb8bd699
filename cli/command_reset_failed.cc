#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/item_report.h"
#include "cli/selection.h"

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

  void add_options(CLI::App& app) override { add_selection(app, selection_); }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    selection_.all = selection_.arenas.empty();
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initResetFailed()); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) { return report(session, reply.getItems()); },
                         .effect = Effect::changes_arenas});
  }

 private:
  void fill(wire::Selection::Builder builder) const {
    fill_selection(builder, selection_);
    builder.setFinished(true);
  }

  Result<ExitCode> report(const Session& session, capnp::List<wire::Item>::Reader items) const {
    if (selection_.all && items.size() == 0) return report_nothing(session, "no arena has crashed");
    return report_items(session, selection_, items);
  }

  ArenaSelection selection_;
};

}  // namespace

std::unique_ptr<Command> reset_failed_command() {
  return std::make_unique<ResetFailedCommand>();
}

}  // namespace arenad::cli
