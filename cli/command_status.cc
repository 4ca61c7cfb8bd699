#include <algorithm>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "arenad/ids.h"
#include "cli/arena_page.h"
#include "cli/arena_state.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/recent_log.h"
#include "cli/render.h"
#include "cli/selection.h"
#include "ipc/clock.h"

namespace arenad::cli {
namespace {

using Arenas = capnp::List<wire::ArenaStatus>::Reader;

bool names(const std::string& selector, wire::ArenaStatus::Reader arena) {
  if (text_of(arena.getName()) == selector) return true;
  const auto id = ArenaId::parse(selector);
  return id && text_of(arena.getId()) == id->text();
}

bool names_any(const std::string& selector, Arenas arenas) {
  for (const auto arena : arenas) {
    if (names(selector, arena)) return true;
  }
  return false;
}

// arenad leaves out what it does not know, and the one who named it must hear of it.
std::vector<std::string> unknown_in(const std::vector<std::string>& selectors, Arenas arenas) {
  if (arenas.size() == 0) return selectors;
  std::vector<std::string> unknown;
  for (const std::string& selector : selectors) {
    if (!may_be_several(selector) && !names_any(selector, arenas)) unknown.push_back(selector);
  }
  return unknown;
}

ExitCode code_of(Arenas arenas) {
  for (const auto arena : arenas) {
    if (standing_of(text_of(arena.getState())) != Standing::running) return ExitCode::not_running;
  }
  return ExitCode::ok;
}

class StatusCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "status",
            .summary = "Shows arenas: a table, or a page if one is named",
            .example = "arenactl status duel-1",
            .details = details()};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_flag("--finished", finished_, "Also those that are stopped, ended, failed or lost");
    app.add_option("-o,--columns", columns_text_, "What the table, or each arena in JSON, shows")->option_text("NAME,NAME...");
    app.add_flag("--no-header", no_header_, "The table without its first line");
    log_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto prepared = prepare(); !prepared) return session.fail(prepared.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initStatus()); },
                         .expected = wire::Reply::STATUS,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getStatus());
                         }});
  }

 private:
  static std::string details() {
    return "Without a selection, and with --all, arenas that are stopped, ended, failed or lost are left out, unless\n"
           "--finished asks for them.\n"
           "Exits with 3 if an arena that was selected, by name or with --all, is not running. A list of everything,\n"
           "without a selection, exits with 0.\n\n"
           "Examples:\n"
           "  arenactl status\n"
           "  arenactl status duel-1\n"
           "  arenactl status 'duel-*' -o arena,state,frame,late-p99\n"
           "  arenactl status --json | jq '.arenas[] | select(.restarts_total > 0) | .name'\n"
           "  arenactl status duel-1 --quiet && echo it runs\n\n" +
           arena_columns_help();
  }

  [[nodiscard]] Result<void> prepare() {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    if (auto checked = log_.check(); !checked) return checked;
    if (columns_text_.empty()) return {};
    auto columns = select_arena_columns(columns_text_);
    if (!columns) return columns.error();
    columns_ = std::move(columns).value();
    return {};
  }

  void fill(wire::Selection::Builder builder) const {
    fill_selection(builder, selection_);
    builder.setAll(lists_everything());
    builder.setFinished(finished_);
  }

  [[nodiscard]] bool lists_everything() const { return selection_.arenas.empty(); }
  [[nodiscard]] bool selects() const { return selection_.all || !selection_.arenas.empty(); }

  [[nodiscard]] ExitCode report(const Session& session, wire::Status::Reader status) const {
    const Arenas arenas = status.getArenas();
    StatusAnswer answer{status, unix_ms(), columns_, unknown_in(selection_.arenas, arenas)};
    if (session.format == Format::json) {
      session.console.data(status_json(answer));
    } else {
      show(session, answer, arenas);
    }
    for (const std::string& selector : answer.unknown) session.console.error(selector + ": no such arena");
    const ExitCode found = answer.unknown.empty() ? ExitCode::ok : ExitCode::unknown_arena;
    return worst(found, selects() ? code_of(arenas) : ExitCode::ok);
  }

  void show(const Session& session, const StatusAnswer& answer, Arenas arenas) const {
    const Console& console = session.console;
    if (wants_page() && arenas.size() == 1) {
      console.data(render_arena_page({arenas[0], answer.now_unix_ms}, console.colour()));
      log_.show(session, text_of(arenas[0].getId()));
      return;
    }
    if (arenas.size() != 0 || lists_everything()) console.data(render_status_table(arenas, table_form(console, answer)));
    if (lists_everything()) show_daemon(console, answer.status.getDaemon());
  }

  // One that is named, not one that a glob happened to find.
  [[nodiscard]] bool wants_page() const {
    return columns_.empty() && selection_.arenas.size() == 1 && !may_be_several(selection_.arenas[0]);
  }

  [[nodiscard]] StatusTable table_form(const Console& console, const StatusAnswer& answer) const {
    return {.columns = columns_.empty() ? default_arena_columns() : columns_,
            .now_unix_ms = answer.now_unix_ms,
            .colour = console.colour(),
            .header = no_header_ ? Header::hidden : Header::shown};
  }

  // Scripts read the table, so the line below it is for terminals only.
  static void show_daemon(const Console& console, wire::DaemonStatus::Reader daemon) {
    if (console.on_terminal()) console.data("\n" + render_daemon_line(daemon));
    for (const std::string& warning : daemon_warnings(daemon)) console.note(warning);
  }

  ArenaSelection selection_;
  bool finished_ = false;
  bool no_header_ = false;
  std::string columns_text_;
  std::vector<const ArenaField*> columns_;
  RecentLog log_;
};

}  // namespace

std::unique_ptr<Command> status_command() {
  return std::make_unique<StatusCommand>();
}

}  // namespace arenad::cli
