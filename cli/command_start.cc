#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include <CLI/App.hpp>

#include "arenad/ids.h"
#include "cli/arena_fields.h"
#include "cli/command.h"
#include "cli/json.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

Result<Params> parse_params(const std::vector<std::string>& texts) {
  Params params;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return make_error(ErrorCode::invalid, "--param " + text + ": expected KEY=VALUE");
    }
    const std::string key = text.substr(0, equals);
    const bool repeated = std::ranges::any_of(params, [&](const auto& param) { return param.first == key; });
    if (repeated) return make_error(ErrorCode::invalid, "--param " + key + " is given twice");
    params.emplace_back(key, text.substr(equals + 1));
  }
  return params;
}

Result<void> check_id(const std::string& id) {
  if (id.empty() || ArenaId::parse(id)) return {};
  return make_error(ErrorCode::invalid, "--id " + id + ": an id has 26 characters, such as 01JD3M7S9XQ2V8T4KZ5W6Y7R0B");
}

class StartCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "start",
            .summary = "Starts an arena and waits until it runs",
            .example = "arenactl start tanks --name duel-1 --param map=desert",
            .details =
                "GAME is a name from arenad's configuration.\n"
                "To start an id that runs already changes nothing and is no error.\n\n"
                "Examples:\n"
                "  arenactl start tanks\n"
                "  arenactl start tanks --name duel-1 --param map=desert --param seed=7\n"
                "  id=$(arenactl start tanks --json | jq -r .id)\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "What to start")->required()->option_text(" ");
    app.add_option("--id", id_, "The arena's id, instead of a new one")->option_text("ID");
    app.add_option("--name", name_, "The arena's name, instead of one made from the game's")->option_text("NAME");
    app.add_option("--param", params_, "A parameter of the game; may be repeated")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false);
  }

  ExitCode run(const Session& session) override {
    const auto params = parse_params(params_);
    if (!params) return session.fail(params.error());
    if (const auto checked = check_id(id_); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initStart(), params.value()); },
                         .expected = wire::Reply::STARTED,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getStarted());
                         },
                         .effect = Effect::changes_arenas});
  }

 private:
  void fill(wire::Start::Builder start, const Params& params) const {
    start.setGame(game_);
    start.setId(id_);
    start.setName(name_);
    auto list = start.initParams(static_cast<unsigned>(params.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setKey(params[i].first);
      list[i].setValue(params[i].second);
    }
  }

  static ExitCode report(const Session& session, wire::Started::Reader started) {
    if (session.format == Format::json) {
      session.console.data(started_json(started));
      return ExitCode::ok;
    }
    session.console.data(fmt::format("{}: {} ({})\n", printable(text_of(started.getName())),
                                     started.getAlreadyRunning() ? "runs already" : "started",
                                     printable(text_of(started.getId()))));
    return ExitCode::ok;
  }

  std::string game_;
  std::string id_;
  std::string name_;
  std::vector<std::string> params_;
};

}  // namespace

std::unique_ptr<Command> start_command() {
  return std::make_unique<StartCommand>();
}

}  // namespace arenad::cli
