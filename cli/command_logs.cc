#include <fmt/format.h>
#include <vector>

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
            "arenad keeps the last lines of each arena in memory (logs.keep_lines of the configuration, and no more than\n"
            "256 KiB of each), also when it has ended, and begins anew when it is started. What is older is in the journal: "
            "journalctl ARENA=duel-1\n\n"
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
    limit_ = lines.value();
    if (follows_) {
      return cli::follow(session, [this](const Session& asking) -> Result<bool> {
        if (book_ != 0) return ask_again(asking);
        const auto first = ask_first(asking);
        if (!first) return first.error();
        return false;
      });
    }
    const auto first = ask_first(session);
    return first ? first.value() : session.fail(first.error());
  }

 private:
  static constexpr uint64_t kMostLines = 10'000;
  static constexpr uint64_t kDefaultLines = 100;
  static constexpr uint32_t kLinesAtOnce = 1000;

  void fill(wire::LogQuery::Builder query, uint64_t limit) const {
    fill_selection(query.initSelection(), selection_);
    query.setLimit(static_cast<uint32_t>(limit));
    query.setBook(book_);
    query.setAfter(next_);
  }

  // What one message had: the newest of those that were asked for.
  struct Portion {
    uint64_t book = 0;
    uint64_t next = 0;
    uint64_t first = 0;  // the number of the oldest line
    bool older_left = false;
    std::vector<std::string> lines;  // as they are shown
    std::vector<std::string> unknown;
  };

  // The newest so many do not always fit into one message: then portion comes after portion, each older than the one before.
  Result<ExitCode> ask_first(const Session& session) {
    std::vector<Portion> portions;
    size_t lines = 0;
    do {
      auto portion = ask_for_newest(session, limit_ - lines, portions);
      if (!portion) return portion.error();
      const bool began_anew = !portions.empty() && portion.value().book != portions.front().book;
      if (began_anew) session.console.note("arenad was started again meanwhile: older lines are not kept any more");
      if (began_anew) break;
      lines += portion.value().lines.size();
      portions.push_back(std::move(portion.value()));
    } while (portions.back().older_left && lines < limit_);
    for (auto portion = portions.rbegin(); portion != portions.rend(); ++portion) {
      for (const std::string& line : portion->lines) session.console.data(line);
    }
    book_ = portions.front().book;
    next_ = portions.front().next;
    return note_unknown(session, portions.front());
  }

  Result<Portion> ask_for_newest(const Session& session, uint64_t limit, const std::vector<Portion>& newer) const {
    Portion portion;
    const auto asked = try_ask(session, {.fill =
                                             [&](wire::Request::Builder request) {
                                               auto query = request.initLogs();
                                               fill(query, limit);
                                               if (newer.empty()) return;
                                               query.setBook(newer.front().book);
                                               query.setBefore(newer.back().first);
                                             },
                                         .expected = wire::Reply::LOGS,
                                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                           const auto logs = reply.getLogs();
                                           portion.book = logs.getBook();
                                           portion.next = logs.getNext();
                                           portion.older_left = logs.getOlderLeft() && logs.getLines().size() != 0;
                                           if (portion.older_left) portion.first = logs.getLines()[0].getNumber();
                                           for (const auto line : logs.getLines())
                                             portion.lines.push_back(shown(session, line));
                                           for (const auto name : logs.getUnknown()) portion.unknown.push_back(text_of(name));
                                           return ExitCode::ok;
                                         }});
    if (!asked) return asked.error();
    return portion;
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
                            const auto lines = logs.getLines();
                            more = lines.size() != 0 && lines[lines.size() - 1].getNumber() == logs.getNext();
                            for (const auto line : logs.getLines()) session.console.data(shown(session, line));
                            book_ = logs.getBook();
                            next_ = logs.getNext();
                            return ExitCode::ok;
                          }});
    if (!asked) return asked.error();
    return more;
  }

  static std::string shown(const Session& session, wire::LogLine::Reader line) {
    return session.format == Format::json ? log_line_json(line) : log_line_text(line, session.console.colour());
  }

  // Somebody who follows may wait for an arena that is not there yet.
  [[nodiscard]] ExitCode note_unknown(const Session& session, const Portion& newest) const {
    for (const std::string& name : newest.unknown) {
      const std::string message = "no lines of " + printable(name) + " are kept, and no such arena is there";
      follows_ ? session.console.note(message) : session.console.error(message);
    }
    if (!newest.unknown.empty()) return ExitCode::unknown_arena;
    if (newest.lines.empty()) session.console.note("nothing was logged yet, or it is not kept any more");
    return ExitCode::ok;
  }

  ArenaSelection selection_;
  std::string lines_text_;
  bool follows_ = false;
  uint64_t limit_ = 0;
  uint64_t book_ = 0;  // 0: nothing was asked yet
  uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Command> logs_command() {
  return std::make_unique<LogsCommand>();
}

}  // namespace arenad::cli
