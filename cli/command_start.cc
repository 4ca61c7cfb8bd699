#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <utility>

#include <CLI/App.hpp>
#include <capnp/message.h>

#include "arenad/ids.h"
#include "cli/arena_action.h"
#include "cli/arena_fields.h"
#include "cli/code_text.h"
#include "cli/command.h"
#include "cli/json_object.h"
#include "ipc/clock.h"
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
                "  arenactl start tanks --name duel-1 --dry-run\n"
                "  id=$(arenactl start tanks --no-wait --json | jq -r .id)\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "What to start")->required()->option_text(" ");
    app.add_option("--id", id_, "The arena's id, instead of a new one")->option_text("ID");
    app.add_option("--name", name_, "The arena's name, instead of one made from the game's")->option_text("NAME");
    app.add_option("--param", params_, "A parameter of the game; may be repeated")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false);
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (game_.empty()) return session.fail(make_error(ErrorCode::invalid, "a game's name is empty"));
    const auto params = parse_params(params_);
    if (!params) return session.fail(params.error());
    if (const auto checked = check_id(id_); !checked) return session.fail(checked.error());
    if (options_.dry_run) return preview(session);
    // Who does not wait could not learn the id otherwise.
    if (options_.no_wait && id_.empty()) id_ = new_id();
    bool has_begun = false;
    ArenaProgress progress(session, "starting");
    Question question{.fill = [&](wire::Request::Builder request) { fill(request.initStart(), params.value()); },
                      .expected = wire::Reply::STARTED,
                      .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                        return report(session, reply.getStarted());
                      },
                      .effect = Effect::changes_arenas,
                      .meanwhile = [&progress] { progress.look(); }};
    if (options_.no_wait) question.begun = [&has_begun] { has_begun = true; };
    const ExitCode code = ask(session, question);
    return has_begun ? report_begun(session) : code;
  }

 private:
  // The arena is there, and has got a name if none was given.
  [[nodiscard]] ExitCode report_begun(const Session& session) const {
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.initStatus().initArenas(1).set(0, id_); },
                         .expected = wire::Reply::STATUS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           capnp::MallocMessageBuilder message;
                           auto started = message.initRoot<wire::Started>();
                           started.setId(id_);
                           started.setName(id_);
                           for (const auto arena : reply.getStatus().getArenas()) started.setName(arena.getName());
                           return report(session, started.asReader(), "has begun to start");
                         }});
  }

  // What arenad would find wrong before it starts anything.
  [[nodiscard]] ExitCode preview(const Session& session) const {
    std::string version;
    const auto of_game = try_ask(session, {.fill = [&](wire::Request::Builder request) { request.setVersions(game_); },
                                           .expected = wire::Reply::VERSIONS,
                                           .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                             for (const auto known : reply.getVersions()) {
                                               if (known.getCurrent()) version = text_of(known.getCode());
                                             }
                                             if (!version.empty()) return ExitCode::ok;
                                             return make_error(ErrorCode::invalid, "the configuration has no game " + game_);
                                           }});
    if (!of_game) return session.fail(of_game.error());
    if (const auto taken = name_is_free(session); !taken) return session.fail(taken.error());
    session.console.data(session.format == Format::json ? would_start_json(version)
                                                        : fmt::format("an arena of {} would be started with code {}\n",
                                                                      printable(game_), printable(short_code(version))));
    note_dry_run(session);
    return ExitCode::ok;
  }

  [[nodiscard]] Result<void> name_is_free(const Session& session) const {
    if (name_.empty()) return {};
    const auto asked =
        try_ask(session, {.fill = [&](wire::Request::Builder request) { request.initStatus().initArenas(1).set(0, name_); },
                          .expected = wire::Reply::STATUS,
                          .read = [](wire::Reply::Reader, std::span<Fd>) -> Result<ExitCode> { return ExitCode::ok; }});
    if (asked) return make_error(ErrorCode::refused, "there is an arena " + name_ + " already");
    if (asked.error().code == ErrorCode::unknown_arena) return {};
    return asked.error();
  }

  [[nodiscard]] std::string would_start_json(const std::string& code) const {
    Json json = object_with_schema();
    json["would_start"] = {{"game", game_}, {"name", name_.empty() ? Json() : Json(name_)}, {"code", code}};
    return line(json);
  }

  static std::string new_id() {
    std::random_device random;
    const auto word = [&random] { return (uint64_t{random()} << 32) | random(); };
    const uint64_t high = word();
    return ArenaId::make(unix_ms(), high, word()).text();
  }

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

  static ExitCode report(const Session& session, wire::Started::Reader started, const char* what = "started") {
    if (session.format == Format::json) {
      session.console.data(started_json(started));
      return ExitCode::ok;
    }
    session.console.data(fmt::format("{}: {} ({})\n", printable(text_of(started.getName())),
                                     started.getAlreadyRunning() ? "runs already" : what, printable(text_of(started.getId()))));
    return ExitCode::ok;
  }

  std::string game_;
  std::string id_;
  std::string name_;
  std::vector<std::string> params_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> start_command() {
  return std::make_unique<StartCommand>();
}

}  // namespace arenad::cli
