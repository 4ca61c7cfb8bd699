// list and inspect: what status tells, in the two forms that are wanted by themselves. Neither judges: whether an arena runs is said by
// status alone, with its exit code.
#include <CLI/App.hpp>

#include "cli/arena_page.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/recent_log.h"
#include "cli/render.h"
#include "cli/selection.h"
#include "ipc/clock.h"

namespace arenad::cli {
namespace {

using Arenas = capnp::List<wire::ArenaStatus>::Reader;

constexpr const char* kListColumns = "arena,state,game,version,players";

class ListCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "list",
        .summary = "Lists arenas with their states, one in a line",
        .example = "arenactl list -o arena --no-header",
        .details = std::string(
                       "Always a table, of one arena too, and what state an arena is in does not change the exit code: for\n"
                       "scripts that want names. arenactl status shows more, and tells by its exit code whether arenas run.\n\n"
                       "Examples:\n"
                       "  arenactl list\n"
                       "  arenactl list 'duel-*' --finished\n"
                       "  arenactl list -o arena --no-header | xargs -r -n 1 arenactl snapshot\n\n") +
                   arena_columns_help()};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_flag("--finished", finished_, "Also those that are stopped, ended, failed or lost");
    app.add_option("-o,--columns", columns_, "As of arenactl status; default " + columns_)->option_text("NAME,NAME...");
    app.add_flag("--no-header", no_header_, "Without the first line");
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    const auto columns = select_arena_columns(columns_);
    if (!columns) return session.fail(columns.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initStatus()); },
                         .expected = wire::Reply::STATUS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, columns.value(), reply.getStatus());
                         }});
  }

 private:
  void fill(wire::Selection::Builder builder) const {
    fill_selection(builder, selection_);
    builder.setAll(selection_.arenas.empty());
    builder.setFinished(finished_);
  }

  [[nodiscard]] Result<ExitCode> report(const Session& session, const std::vector<const ArenaField*>& columns,
                                        wire::Status::Reader status) const {
    if (status.getArenas().size() == 0 && !selection_.arenas.empty()) {
      return make_error(ErrorCode::unknown_arena, "no arena matches " + selection_.arenas.front());
    }
    if (session.format == Format::json) {
      session.console.data(status_json({status, unix_ms(), columns, {}}));
    } else {
      session.console.data(render_status_table(status.getArenas(), {.columns = columns,
                                                                    .now_unix_ms = unix_ms(),
                                                                    .colour = session.console.colour(),
                                                                    .header = no_header_ ? Header::hidden : Header::shown}));
    }
    return ExitCode::ok;
  }

  ArenaSelection selection_;
  bool finished_ = false;
  bool no_header_ = false;
  std::string columns_ = kListColumns;
};

class InspectCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "inspect",
            .summary = "Shows all that is known of one arena",
            .example = "arenactl inspect duel-1",
            .details =
                "The page that arenactl status shows of an arena that is named, whatever state it is in: with its parameters,\n"
                "its channels, how late its frames were, and the last lines of its log.\n\n"
                "Examples:\n"
                "  arenactl inspect duel-1\n"
                "  arenactl inspect duel-1 --json | jq '.arenas[0].channels'\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", arena_, "A name or an id")->required()->option_text(" ");
    log_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (arena_.empty()) return session.fail(make_error(ErrorCode::invalid, "an arena's name is empty"));
    if (const auto checked = log_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill =
                             [&](wire::Request::Builder request) {
                               fill_selection(request.initStatus(), {{arena_}, false});
                             },
                         .expected = wire::Reply::STATUS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) { return report(session, reply.getStatus()); }});
  }

 private:
  [[nodiscard]] Result<ExitCode> report(const Session& session, wire::Status::Reader status) const {
    const Arenas arenas = status.getArenas();
    if (arenas.size() == 0) return make_error(ErrorCode::unknown_arena, "no arena " + arena_);
    if (arenas.size() != 1) {
      return make_error(ErrorCode::invalid,
                        "inspect shows one arena, and " + std::to_string(arenas.size()) + " match " + arena_);
    }
    session.console.data(session.format == Format::json ? status_json({status, unix_ms(), {}, {}})
                                                        : render_arena_page({arenas[0], unix_ms()}, session.console.colour()));
    log_.show(session, text_of(arenas[0].getId()));
    return ExitCode::ok;
  }

  std::string arena_;
  RecentLog log_;
};

}  // namespace

std::unique_ptr<Command> list_command() {
  return std::make_unique<ListCommand>();
}

std::unique_ptr<Command> inspect_command() {
  return std::make_unique<InspectCommand>();
}

}  // namespace arenad::cli
