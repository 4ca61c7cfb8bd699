#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/game_version_table.h"
#include "cli/rollout_json.h"
#include "cli/table_options.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class VersionsCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "versions",
        .summary = "Shows which versions of games there are, and how many arenas run each",
        .example = "arenactl versions tanks",
        .details =
            "New arenas get the current one, rollback goes back to the previous one, and the configured one is the module\n"
            "and the worker program that the configuration names. CODE is the beginning of the hash of both files, RUNTIME\n"
            "the version of arena-worker and the beginning of the hash of its file. A game that the configuration does not "
            "have\n"
            "any more has no versions here; one that arenad has never heard of is an error.\n\n"
            "Examples:\n"
            "  arenactl versions\n"
            "  arenactl versions tanks\n"
            "  arenactl versions tanks --json | jq -r '.versions[] | select(.previous) | .code'\n\n" +
            table_.help(),
        .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Only of this game")->option_text(" ");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = table_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setVersions(game_); },
                         .expected = wire::Reply::VERSIONS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getVersions());
                         }});
  }

 private:
  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::GameVersion>::Reader versions) const {
    const Console& console = session.console;
    console.data(session.format == Format::json ? game_versions_json(versions)
                                                : table_.text(game_version_table(versions), console.colour()));
    if (versions.size() == 0) console.note("no version is known" + (game_.empty() ? "" : " of " + printable(game_)));
    return ExitCode::ok;
  }

  std::string game_;
  TableOptions table_{game_version_table({})};
};

}  // namespace

std::unique_ptr<Command> versions_command() {
  return std::make_unique<VersionsCommand>();
}

}  // namespace arenad::cli
