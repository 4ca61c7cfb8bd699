#include <fmt/format.h>
#include <set>

#include <CLI/App.hpp>

#include "cli/arena_fields.h"
#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/follow.h"
#include "cli/log_text.h"
#include "cli/selection.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class LogsCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "logs",
        .summary = "Shows the last lines of the log: of arenas, of their games, and of arenad",
        .example = "arenactl logs -f duel-1",
        .details =
            "Without an arena, all lines, arenad's own too. Behind an arena's name in brackets stands the process that has\n"
            "written the line: to its standard output or error, or with the game's own log.\n"
            "arenad keeps the last lines of each arena in memory (logs.keep_lines of the configuration), also when it has\n"
            "ended, and begins anew when it is started. What is older is in the journal: journalctl ARENA=duel-1\n\n"
            "Examples:\n"
            "  arenactl logs -n 200 duel-1\n"
            "  arenactl logs -f\n"
            "  arenactl logs --json duel-1 | jq -r 'select(.source == \"worker\") | .text'\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_option("-n,--lines", lines_text_, "The newest so many; default 100")->option_text("N");
    app.add_flag("-f,--follow", follows_, "Then go on with what comes, until Ctrl-C or --timeout");
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    const auto lines = parse_count("--lines", lines_text_, kMostLines, kDefaultLines);
    if (!lines) return session.fail(lines.error());
    const auto limit = static_cast<uint32_t>(lines.value());
    if (follows_) {
      return cli::follow(session, [this, limit](const Session& asking) -> Result<bool> {
        if (book_ != 0) return ask_again(asking);
        const auto first = ask_first(asking, limit);
        if (!first) return first.error();
        return false;
      });
    }
    const auto first = ask_first(session, limit);
    return first ? first.value() : session.fail(first.error());
  }

 private:
  static constexpr uint64_t kMostLines = 10'000;
  static constexpr uint64_t kDefaultLines = 100;
  static constexpr uint32_t kLinesAtOnce = 1000;

  void fill(wire::LogQuery::Builder query, uint32_t limit) const {
    fill_selection(query.initSelection(), selection_);
    query.setLimit(limit);
    query.setBook(book_);
    query.setAfter(next_);
  }

  Result<ExitCode> ask_first(const Session& session, uint32_t limit) {
    return try_ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initLogs(), limit); },
                             .expected = wire::Reply::LOGS,
                             .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                               const auto logs = reply.getLogs();
                               show(session, logs);
                               return note_unknown(session, logs);
                             }});
  }

  // Whether there is more to be asked for at once.
  Result<bool> ask_again(const Session& session) {
    bool more = false;
    const auto asked =
        try_ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initLogs(), kLinesAtOnce); },
                          .expected = wire::Reply::LOGS,
                          .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                            const auto logs = reply.getLogs();
                            if (logs.getBook() != book_) {
                              session.console.note("arenad has been started again: its log begins anew");
                            } else if (logs.getMissed()) {
                              session.console.note("lines are missing: they came faster than they were read here");
                            }
                            more = logs.getLines().size() == kLinesAtOnce;
                            show(session, logs);
                            return ExitCode::ok;
                          }});
    if (!asked) return asked.error();
    return more;
  }

  void show(const Session& session, wire::Logs::Reader logs) {
    const Colour colour = session.console.colour();
    for (const auto line : logs.getLines()) {
      session.console.data(session.format == Format::json ? log_line_json(line) : log_line_text(line, colour));
    }
    book_ = logs.getBook();
    next_ = logs.getNext();
  }

  // Somebody who follows may wait for an arena that is not there yet.
  [[nodiscard]] ExitCode note_unknown(const Session& session, wire::Logs::Reader logs) const {
    for (const auto name : logs.getUnknown()) {
      const std::string message = "no lines of " + printable(text_of(name)) + " are kept, and no such arena is there";
      follows_ ? session.console.note(message) : session.console.error(message);
    }
    if (logs.getUnknown().size() != 0) return ExitCode::unknown_arena;
    if (logs.getLines().size() == 0) session.console.note("nothing was logged yet, or it is not kept any more");
    return ExitCode::ok;
  }

  ArenaSelection selection_;
  std::string lines_text_;
  bool follows_ = false;
  uint64_t book_ = 0;  // 0: nothing was asked yet
  uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Command> logs_command() {
  return std::make_unique<LogsCommand>();
}

}  // namespace arenad::cli
