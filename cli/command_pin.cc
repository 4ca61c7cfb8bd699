// pin and unpin: arenas that rollouts leave out.
#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/arena_fields.h"
#include "cli/command.h"

namespace arenad::cli {
namespace {

// It runs the version that it is pinned to, and that is not on probation any more.
bool is_held(const std::string& version, wire::ArenaStatus::Reader now) {
  const bool has_it = text_of(now.getGameVersion()) == version || text_of(now.getCode()).starts_with(version);
  return now.getPinned() && has_it && !now.getProbation();
}

// No version: no longer pinned.
ExitCode ask_to_pin(const Session& session, const ArenaSelection& selection, const ActionOptions& options,
                    const std::string& version) {
  if (const auto checked = check_selection(selection, Nothing::refused); !checked) return session.fail(checked.error());
  return act_on_arenas(session, selection, options,
                       {.would = version.empty() ? "would not be pinned any more" : "would be pinned to version " + version,
                        .doing = version.empty() ? "" : "handing over",
                        .fill =
                            [&](wire::Request::Builder request) {
                              auto pin = request.initPin();
                              fill_selection(pin.initSelection(), selection);
                              pin.setVersion(version);
                            },
                        .is_done = [&](const ArenaBefore&, wire::ArenaStatus::Reader now) { return is_held(version, now); }});
}

class PinCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "pin",
            .summary = "Keeps arenas at one version of their code, whatever is rolled out",
            .example = "arenactl pin duel-1 1.2.0",
            .details =
                "ARENA... VERSION: the last word is the version, which is a code, the beginning of one, or the module's own\n"
                "version if only one has it; arenactl versions shows them. An arena that runs another one is moved to it.\n\n"
                "Examples:\n"
                "  arenactl pin duel-1 1.2.0\n"
                "  arenactl pin 'ladder-*' duel-1 0123456789ab\n"
                "  arenactl pin --all 1.2.0\n",
            .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", words_, "Names, ids, or globs over names, such as 'duel-*'; then the VERSION")
        ->required()
        ->option_text(" ");
    app.add_flag("--all", all_, "Every arena");
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    const ArenaSelection selection{.arenas = {words_.begin(), words_.end() - 1}, .all = all_};
    if (selection.arenas.empty() && !all_) {
      return session.fail(make_error(ErrorCode::invalid, "name one or more arenas, and behind them the version"));
    }
    if (words_.back().empty()) return session.fail(make_error(ErrorCode::invalid, "the version is empty"));
    return ask_to_pin(session, selection, options_, words_.back());
  }

 private:
  std::vector<std::string> words_;
  bool all_ = false;
  ActionOptions options_;
};

class UnpinCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "unpin",
            .summary = "Lets rollouts reach arenas again that were pinned",
            .example = "arenactl unpin duel-1",
            .details =
                "An arena keeps the code that it runs until the next rollout.\n\n"
                "Examples:\n"
                "  arenactl unpin duel-1\n"
                "  arenactl unpin --all\n",
            .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override { return ask_to_pin(session, selection_, options_, ""); }

 private:
  ArenaSelection selection_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> pin_command() {
  return std::make_unique<PinCommand>();
}

std::unique_ptr<Command> unpin_command() {
  return std::make_unique<UnpinCommand>();
}

}  // namespace arenad::cli
