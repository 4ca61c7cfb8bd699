#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/item_report.h"
#include "cli/selection.h"

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
                "  arenactl stop --all --yes\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_flag("-y,--yes", yes_, "Do not ask whether really all are meant");
  }

  ExitCode run(const Session& session) override {
    if (const auto allowed = check(session); !allowed) return session.fail(allowed.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill_selection(request.initStop(), selection_); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply,
                                     std::span<Fd>) { return report_items(session, selection_, reply.getItems()); },
                         .effect = Effect::changes_arenas});
  }

 private:
  [[nodiscard]] Result<void> check(const Session& session) const {
    if (auto checked = check_selection(selection_, Nothing::refused); !checked) return checked;
    if (!means_all(selection_)) return {};
    return confirm_all(session.console, yes_ ? Consent::given : Consent::to_be_asked,
                       "stop all arenas at " + session.socket_path);
  }

  ArenaSelection selection_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> stop_command() {
  return std::make_unique<StopCommand>();
}

}  // namespace arenad::cli
