// kill and signal: the same, in the words of systemctl and as a verb of its own.
#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"
#include "cli/signal_name.h"

namespace arenad::cli {
namespace {

constexpr const char* kWhatHappens =
    "Goes to the process that runs the arena now, and to no other, whatever happens meanwhile. What the signal does\n"
    "is up to it: an arena whose worker dies of one is recovered, which counts as a crash. To put an arena down, see\n"
    "arenactl stop.\n\n";

ExitCode send(const Session& session, const ArenaSelection& selection, const std::string& signal_text,
              const ActionOptions& options) {
  if (const auto checked = check_selection(selection, Nothing::refused); !checked) return session.fail(checked.error());
  const auto number = parse_signal(signal_text);
  if (!number) return session.fail(number.error());
  if (const auto allowed = confirm_if_all(session, selection, options, "send signal " + signal_text + " to"); !allowed) {
    return session.fail(allowed.error());
  }
  return act_on_arenas(session, selection, options,
                       {.would = "would be sent signal " + signal_text, .fill = [&](wire::Request::Builder request) {
                          auto signal = request.initSignal();
                          fill_selection(signal.initSelection(), selection);
                          signal.setNumber(number.value());
                        }});
}

class KillCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "kill",
            .summary = "Sends a signal to the workers of arenas",
            .example = "arenactl kill -s USR1 duel-1",
            .details = std::string(kWhatHappens) +
                       "Examples:\n"
                       "  arenactl kill -s USR1 duel-1\n"
                       "  arenactl kill -s SIGKILL 'ladder-*'\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_option("-s,--signal", signal_, "A name such as USR1 or SIGUSR1, or a number")->required()->option_text("SIGNAL");
    add_yes(app, options_, "really all are meant");
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override { return send(session, selection_, signal_, options_); }

 private:
  ArenaSelection selection_;
  std::string signal_;
  ActionOptions options_;
};

class SignalCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "signal",
            .summary = "The same as kill -s, with the signal in front",
            .example = "arenactl signal USR1 duel-1",
            .details = "SIGNAL ARENA...: the first word is the signal.\n" + std::string(kWhatHappens) +
                       "Examples:\n"
                       "  arenactl signal USR1 duel-1\n"
                       "  arenactl signal TERM --all --yes\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("SIGNAL", words_, "A name such as USR1 or a number; then names, ids or globs of arenas")
        ->required()
        ->option_text(" ");
    app.add_flag("--all", all_, "Every arena");
    add_yes(app, options_, "really all are meant");
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    const ArenaSelection selection{.arenas = {words_.begin() + 1, words_.end()}, .all = all_};
    return send(session, selection, words_.front(), options_);
  }

 private:
  std::vector<std::string> words_;
  bool all_ = false;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> kill_command() {
  return std::make_unique<KillCommand>();
}

std::unique_ptr<Command> signal_command() {
  return std::make_unique<SignalCommand>();
}

}  // namespace arenad::cli
