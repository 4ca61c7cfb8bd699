#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"
#include "cli/duration_option.h"

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
                "deadline is stopped with its state kept. Waits for the end of it all, unless --no-wait is given.\n\n"
                "Examples:\n"
                "  arenactl drain duel-1\n"
                "  arenactl drain --all --deadline 10m --yes\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_duration_option(
        app, "--deadline", [this](uint64_t ms) { deadline_ms_ = ms; }, "How long to wait; default 600s");
    add_yes(app, options_, "really all are meant");
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (const auto allowed = check(session); !allowed) return session.fail(allowed.error());
    return act_on_arenas(session, selection_, options_,
                         {.would = "would be drained",
                          .doing = "draining",
                          .fill = [&](wire::Request::Builder request) { fill(request.initDrain()); },
                          .default_timeout_ms = deadline_ms_ + kGraceMs});
  }

 private:
  [[nodiscard]] Result<void> check(const Session& session) {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    selection_.all = selection_.arenas.empty();
    return confirm_if_all(session, selection_, options_, "drain");
  }

  void fill(wire::Drain::Builder drain) const {
    fill_selection(drain.initSelection(), selection_);
    drain.setDeadlineMs(deadline_ms_);
  }

  ArenaSelection selection_;
  uint64_t deadline_ms_ = kDefaultDeadlineMs;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> drain_command() {
  return std::make_unique<DrainCommand>();
}

}  // namespace arenad::cli
