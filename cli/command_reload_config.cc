#include <CLI/App.hpp>

#include "cli/arena_fields.h"
#include "cli/command.h"
#include "cli/config_json.h"
#include "cli/config_text.h"
#include "ipc/control_client.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class ReloadConfigCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "reload-config",
        .summary = "Makes arenad read its configuration again, and shows what has changed",
        .example = "arenactl reload-config --dry-run",
        .details =
            "All of it is taken over, or nothing if anything is wrong: then each problem is told with file, line and key,\n"
            "and the exit code is 2; or 6 if the file is right, but what runs is in the way. What needs a restart of arenad\n"
            "is named and keeps its old value. Arenas miss nothing. SIGHUP to arenad or arena-keeper does the same, and\n"
            "arenad logs what came of it.\n\n"
            "Examples:\n"
            "  arenactl reload-config --dry-run\n"
            "  arenactl reload-config\n"
            "  arenactl reload-config --json | jq -r '.config.changes[] | select(.takes_effect == \"after-restart\") | "
            ".key'\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_flag("--dry-run", dry_run_, "Find and check what would change, and change nothing");
  }

  ExitCode run(const Session& session) override {
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.initReloadConfig().setDryRun(dry_run_); },
                         .expected = wire::Reply::CONFIG_RELOADED,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getConfigReloaded());
                         },
                         .effect = dry_run_ ? Effect::none : Effect::changes_configuration});
  }

 private:
  static ExitCode report(const Session& session, wire::ConfigReloaded::Reader reloaded) {
    if (reloaded.getProblems().size() != 0) return refuse(session, reloaded);
    const Console& console = session.console;
    console.data(session.format == Format::json ? config_json(reloaded) : render_config_changes(reloaded, console.colour()));
    const std::string restart = restart_note(reloaded);
    if (!restart.empty()) console.note(restart);
    if (reloaded.getDryRun()) console.note("a dry run: nothing was changed");
    return ExitCode::ok;
  }

  static ExitCode refuse(const Session& session, wire::ConfigReloaded::Reader reloaded) {
    const Error error = make_error(error_code_of(reloaded.getRefusal()),
                                   text_of(reloaded.getFile()) + " is refused as a whole: nothing was changed");
    if (session.format == Format::json) session.console.data(config_json(reloaded, error));
    for (const std::string& problem : config_problems(reloaded)) session.console.error(problem);
    session.console.error(printable(error.text()));
    return exit_code_of(error.code);
  }

  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> reload_config_command() {
  return std::make_unique<ReloadConfigCommand>();
}

}  // namespace arenad::cli
