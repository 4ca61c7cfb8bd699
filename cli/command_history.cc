#include <charconv>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/history_table.h"
#include "cli/table_options.h"

namespace arenad::cli {
namespace {

class HistoryCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "history",
        .summary = "Shows who has changed what: every command of the past, and what became of it",
        .example = "arenactl history --limit 20",
        .details =
            "Newest first. Commands that only read are left out, unless they were denied for want of a right; the newest ten\n"
            "thousand are kept, in the database.\n"
            "USER and PID are those of who asked, as the kernel told arenad. OUTCOME is open while a command is carried\n"
            "out, and stays so if arenad ended over it; done, or of several arenas what the first failure was.\n\n"
            "Examples:\n"
            "  arenactl history\n"
            "  arenactl history --json | jq '.history[] | select(.verb == \"reload\")'\n\n" +
            table_.help()};
  }

  void add_options(CLI::App& app) override {
    table_.add_to(app);
    app.add_option("--limit", limit_text_, "The newest so many; default 100")->option_text("N");
  }

  ExitCode run(const Session& session) override {
    if (const auto read = read_limit(); !read) return session.fail(read.error());
    if (const auto checked = table_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.initHistory().setLimit(limit_); },
                         .expected = wire::Reply::HISTORY,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getHistory());
                         }});
  }

 private:
  static constexpr uint32_t kMaxLimit = 10'000;

  [[nodiscard]] Result<void> read_limit() {
    if (limit_text_.empty()) return {};
    const char* end = limit_text_.data() + limit_text_.size();
    const auto [at, error] = std::from_chars(limit_text_.data(), end, limit_);
    if (error == std::errc() && at == end && limit_ >= 1 && limit_ <= kMaxLimit) return {};
    return make_error(ErrorCode::invalid, fmt::format("--limit: '{}' is no number from 1 to {}", limit_text_, kMaxLimit));
  }

  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::HistoryEntry>::Reader entries) const {
    session.console.data(session.format == Format::json ? history_json(entries)
                                                        : table_.text(history_table(entries), session.console.colour()));
    if (entries.size() == 0) session.console.note("nothing was changed yet");
    return ExitCode::ok;
  }

  TableOptions table_{history_table({})};
  std::string limit_text_;
  uint32_t limit_ = 100;
};

}  // namespace

std::unique_ptr<Command> history_command() {
  return std::make_unique<HistoryCommand>();
}

}  // namespace arenad::cli
