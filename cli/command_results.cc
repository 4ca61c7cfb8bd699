#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/render.h"
#include "cli/table_options.h"

namespace arenad::cli {
namespace {

class ResultsCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "results",
            .summary = "Shows the results that an arena has reported, ended ones included",
            .example = "arenactl results duel-1",
            .details =
                "A message is a Cap'n Proto message of the game, of which the table shows the beginning. The schema of\n"
                "the game reads it.\n\n"
                "Examples:\n"
                "  arenactl results duel-1\n"
                "  arenactl results duel-1 --json | jq -r '.results[0].message_hex' | xxd -r -p |\n"
                "    capnp convert flat:json game.capnp Result\n\n" +
                table_.help()};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", arena_, "A name or id")->required()->option_text(" ");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = table_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setResults(arena_); },
                         .expected = wire::Reply::RESULTS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getResults());
                         }});
  }

 private:
  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::MatchResult>::Reader results) const {
    const Console& console = session.console;
    const bool json = session.format == Format::json;
    console.data(json ? results_json(arena_, results) : table_.text(result_table(results), console.colour()));
    return ExitCode::ok;
  }

  std::string arena_;
  TableOptions table_{result_table({})};
};

}  // namespace

std::unique_ptr<Command> results_command() {
  return std::make_unique<ResultsCommand>();
}

}  // namespace arenad::cli
