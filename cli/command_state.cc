#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/event_text.h"
#include "cli/game_types.h"
#include "cli/message_json.h"
#include "ipc/printable.h"
#include "ipc/region.h"
#include "ipc/text.h"

namespace arenad::cli {
namespace {

constexpr const char* kState = "the state";

class StateCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "state",
            .summary = "Shows the state of an arena's game, by the names of its fields",
            .example = "arenactl state duel-1",
            .details =
                "As the newest snapshot has it, which is taken every snapshot.interval_ms; the game is not asked and notices\n"
                "nothing. The names are those of the game's schema. What has more than 100,000 values is not shown: see\n"
                "arenactl export.\n\n"
                "Examples:\n"
                "  arenactl state duel-1\n"
                "  arenactl state duel-1 --json | jq .state.players\n"};
  }

  void add_options(CLI::App& app) override { app.add_option("ARENA", arena_, "A name or an id")->required()->option_text(" "); }

  ExitCode run(const Session& session) override {
    if (arena_.empty()) return session.fail(make_error(ErrorCode::invalid, "an arena's name is empty"));
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setGameState(arena_); },
                         .expected = wire::Reply::GAME_STATE,
                         .read = [&](wire::Reply::Reader reply,
                                     std::span<Fd> fds) { return show(session, reply.getGameState(), fds); }});
  }

 private:
  [[nodiscard]] Result<ExitCode> show(const Session& session, wire::GameState::Reader from, std::span<Fd> fds) const {
    if (fds.size() != 1 || !fds[0]) return make_error(ErrorCode::corrupt, "arenad sent no state along with its reply");
    if (from.getSchema().size() == 0) {
      return make_error(ErrorCode::failed,
                        "the module of game " + text_of(from.getGame()) + " does not say what its types are");
    }
    auto region = RegionView::map(std::move(fds[0]), from.getBytes());
    if (!region) return region.error();
    const std::span message(reinterpret_cast<const unsigned char*>(region->data()), from.getBytes());
    const std::span schema(from.getSchema().begin(), from.getSchema().size());
    return session.format == Format::json ? show_json(session, from, schema, message)
                                          : show_text(session, from, schema, message);
  }

  static Result<ExitCode> show_json(const Session& session, wire::GameState::Reader from, std::span<const unsigned char> schema,
                                    std::span<const unsigned char> message) {
    auto types = GameTypes::load(schema);
    if (!types) return types.error();
    auto type = types->find(kState, from.getType());
    if (!type) return type.error();
    auto state = LookedThrough::read(kState, *type, message);
    if (!state) return state.error();
    return reading(kState, [&]() -> Result<ExitCode> {
      Json object = object_with_schema();
      object["arena"] = text_of(from.getName());
      object["frame"] = from.getFrame();
      object["game"] = text_of(from.getGame());
      object["version"] = text_of(from.getVersion());
      object["state"] = json_of(state->root());
      session.console.data(line(object));
      return ExitCode::ok;
    });
  }

  static Result<ExitCode> show_text(const Session& session, wire::GameState::Reader from, std::span<const unsigned char> schema,
                                    std::span<const unsigned char> message) {
    auto state = event_text(schema, from.getType(), message, kState);
    if (!state) return state.error();
    session.console.data(fmt::format("{} at frame {}, {} {}, {}\n{}\n", printable(text_of(from.getName())), from.getFrame(),
                                     printable(text_of(from.getGame())), printable(text_of(from.getVersion())),
                                     printable(state->type), printable_lines(state->text)));
    return ExitCode::ok;
  }

  std::string arena_;
};

}  // namespace

std::unique_ptr<Command> state_command() {
  return std::make_unique<StateCommand>();
}

}  // namespace arenad::cli
