#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/item_report.h"
#include "cli/selection.h"

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

  void add_options(CLI::App& app) override { add_selection(app, selection_); }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    selection_.all = selection_.arenas.empty();
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill_selection(request.initUndrain(), selection_); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) { return report(session, reply.getItems()); },
                         .effect = Effect::changes_arenas});
  }

 private:
  Result<ExitCode> report(const Session& session, capnp::List<wire::Item>::Reader items) const {
    if (selection_.all) session.console.note("arenad takes new arenas");
    if (selection_.all && items.size() == 0) return report_nothing(session, "no arena was draining");
    return report_items(session, selection_, items);
  }

  ArenaSelection selection_;
};

}  // namespace

std::unique_ptr<Command> undrain_command() {
  return std::make_unique<UndrainCommand>();
}

}  // namespace arenad::cli
