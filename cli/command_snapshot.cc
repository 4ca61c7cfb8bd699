#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/item_report.h"
#include "cli/selection.h"

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

  void add_options(CLI::App& app) override { add_selection(app, selection_); }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::refused); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill_selection(request.initSnapshot(), selection_); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply,
                                     std::span<Fd>) { return report_items(session, selection_, reply.getItems()); },
                         .effect = Effect::changes_arenas});
  }

 private:
  ArenaSelection selection_;
};

}  // namespace

std::unique_ptr<Command> snapshot_command() {
  return std::make_unique<SnapshotCommand>();
}

}  // namespace arenad::cli
