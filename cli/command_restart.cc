#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/item_report.h"
#include "cli/selection.h"

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
                "  arenactl restart --all\n"};
  }

  void add_options(CLI::App& app) override { add_selection(app, selection_); }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::refused); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill_selection(request.initRestart(), selection_); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply,
                                     std::span<Fd>) { return report_items(session, selection_, reply.getItems()); },
                         .effect = Effect::changes_arenas});
  }

 private:
  ArenaSelection selection_;
};

}  // namespace

std::unique_ptr<Command> restart_command() {
  return std::make_unique<RestartCommand>();
}

}  // namespace arenad::cli
