// rollout, which shows, and rollout status, pause, resume, abort.
#include <array>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/arena_fields.h"
#include "cli/command.h"
#include "cli/rollout_json.h"
#include "cli/rollout_table.h"
#include "cli/rollout_text.h"
#include "cli/suggestion.h"
#include "cli/table_options.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class RolloutStatusCommand : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "status",
            .summary = "Shows the last rollout of a game, or of each",
            .example = {},
            .details =
                "With -o or --no-header a table, a line for each game.\n\n"
                "Examples:\n"
                "  arenactl rollout status\n"
                "  arenactl rollout status tanks\n"
                "  arenactl rollout status -o game,state,passed,waiting\n"
                "  arenactl rollout status --json | jq '.rollouts[] | select(.is_over | not) | .game'\n\n" +
                table_.help()};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Only of this game")->option_text(" ");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = table_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setRollouts(game_); },
                         .expected = wire::Reply::ROLLOUTS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getRollouts());
                         },
                         .if_unknown = hint()});
  }

 private:
  // Its own verbs, if it has any, stand where a game does.
  [[nodiscard]] std::string hint() const {
    std::vector<std::string> words;
    for (const auto& command : verbs()) words.push_back(command->verb().name);
    return game_.empty() ? "" : did_you_mean(game_, words);
  }

  // A block for each; a table for who says what is to be in it.
  [[nodiscard]] std::string text_of_all(capnp::List<wire::Rollout>::Reader rollouts, Colour colour) const {
    return table_.is_wanted() ? table_.text(rollout_table(rollouts), colour) : render_rollouts(rollouts, colour);
  }

  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::Rollout>::Reader rollouts) const {
    const Console& console = session.console;
    console.data(session.format == Format::json ? rollouts_json(rollouts) : text_of_all(rollouts, console.colour()));
    if (rollouts.size() == 0) {
      console.note("there was no rollout" + (game_.empty() ? "" : " of " + printable(game_)) + hint());
    }
    return ExitCode::ok;
  }

  std::string game_;
  TableOptions table_{rollout_table({})};
};

using Order = wire::RolloutOrder::Order;

struct OrderVerb {
  Order order;
  const char* name;
  const char* summary;
  const char* details;
};

constexpr std::array kOrders{
    OrderVerb{Order::PAUSE, "pause", "Begins no further arena, until it is resumed",
              "Arenas that are on the way or on probation go on.\n"},
    OrderVerb{Order::RESUME, "resume", "Goes on with a rollout that was paused", ""},
    OrderVerb{Order::ABORT, "abort", "Ends a rollout where it is",
              "Arenas that are on the way or on probation go on. All others keep the code that they have, also those that were "
              "to be\n"
              "given back, and new arenas get the old code again. arenactl rollback takes back what the rollout has left.\n"}};

class RolloutOrderCommand final : public Command {
 public:
  explicit RolloutOrderCommand(const OrderVerb& order) : order_(order) {}

  [[nodiscard]] Verb verb() const override {
    const std::string example = fmt::format("Examples:\n  arenactl rollout {} tanks\n", order_.name);
    return {.name = order_.name,
            .summary = order_.summary,
            .example = {},
            .details = order_.details + std::string(*order_.details == '\0' ? "" : "\n") + example};
  }

  void add_options(CLI::App& app) override { app.add_option("GAME", game_, "Whose rollout")->required()->option_text(" "); }

  ExitCode run(const Session& session) override {
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initRolloutOrder()); },
                         .expected = wire::Reply::ROLLOUT,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getRollout());
                         },
                         .effect = Effect::changes_rollout});
  }

 private:
  void fill(wire::RolloutOrder::Builder order) const {
    order.setGame(game_);
    order.setOrder(order_.order);
  }

  static ExitCode report(const Session& session, wire::Rollout::Reader rollout) {
    session.console.data(session.format == Format::json
                             ? rollout_json(rollout)
                             : printable(text_of(rollout.getGame())) + ": " + rollout_progress(rollout) + "\n");
    return ExitCode::ok;
  }

  const OrderVerb& order_;
  std::string game_;
};

class RolloutCommand final : public RolloutStatusCommand {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "rollout",
            .summary = "Shows how new code spreads over the arenas of a game; pause, resume, abort",
            .example = "arenactl rollout pause tanks",
            .details =
                "What reload and rollback have begun. Without a verb, as rollout status.\n"
                "A game that is called like a verb: arenactl rollout status -- pause\n\n"
                "Examples:\n"
                "  arenactl rollout\n"
                "  arenactl rollout status tanks\n"
                "  arenactl rollout pause tanks\n"
                "  arenactl rollout abort tanks\n",
            .group = kCodeVerbs};
  }

  [[nodiscard]] std::span<const std::unique_ptr<Command>> verbs() const override { return verbs_; }

 private:
  Commands verbs_ = [] {
    Commands verbs;
    verbs.push_back(std::make_unique<RolloutStatusCommand>());
    for (const OrderVerb& order : kOrders) verbs.push_back(std::make_unique<RolloutOrderCommand>(order));
    return verbs;
  }();
};

}  // namespace

std::unique_ptr<Command> rollout_command() {
  return std::make_unique<RolloutCommand>();
}

}  // namespace arenad::cli
