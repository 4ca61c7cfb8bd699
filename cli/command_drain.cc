#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/duration_option.h"
#include "cli/item_report.h"
#include "cli/selection.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kDefaultDeadlineMs = 600'000;
// What arenad may take, past the deadline, to stop what is left.
constexpr uint64_t kGraceMs = kDefaultTimeoutMs;

class DrainCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "drain",
            .summary = "Lets matches come to their end, then stops what is left",
            .example = "arenactl drain --all --deadline 10m --yes",
            .details =
                "Without an arena, all of them, as with --all: arenad then takes no new ones. What still runs at the\n"
                "deadline is stopped with its state kept. Waits for the end of it all.\n\n"
                "Examples:\n"
                "  arenactl drain duel-1\n"
                "  arenactl drain --all --deadline 10m --yes\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_duration_option(
        app, "--deadline", [this](uint64_t ms) { deadline_ms_ = ms; }, "How long to wait; default 600s");
    app.add_flag("-y,--yes", yes_, "Do not ask whether really all are meant");
  }

  ExitCode run(const Session& session) override {
    if (const auto allowed = check(session); !allowed) return session.fail(allowed.error());
    selection_.all = selection_.arenas.empty();
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initDrain()); },
                         .expected = wire::Reply::ITEMS,
                         .read = [&](wire::Reply::Reader reply,
                                     std::span<Fd>) { return report_items(session, selection_, reply.getItems()); },
                         .effect = Effect::changes_arenas,
                         .default_timeout_ms = deadline_ms_ + kGraceMs});
  }

 private:
  [[nodiscard]] Result<void> check(const Session& session) const {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    if (!means_all(selection_) && !selection_.arenas.empty()) return {};
    return confirm_all(session.console, yes_ ? Consent::given : Consent::to_be_asked,
                       "drain all arenas at " + session.socket_path);
  }

  void fill(wire::Drain::Builder drain) const {
    fill_selection(drain.initSelection(), selection_);
    drain.setDeadlineMs(deadline_ms_);
  }

  ArenaSelection selection_;
  uint64_t deadline_ms_ = kDefaultDeadlineMs;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> drain_command() {
  return std::make_unique<DrainCommand>();
}

}  // namespace arenad::cli
