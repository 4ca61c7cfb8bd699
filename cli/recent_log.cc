#include "cli/recent_log.h"

#include <CLI/App.hpp>

#include "cli/count_option.h"
#include "cli/log_text.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kMostLines = 10'000;
constexpr uint64_t kDefaultLines = 10;

}  // namespace

void RecentLog::add_to(CLI::App& verb) {
  verb.add_option("-n,--lines", lines_text_, "Of the page: the last so many lines of its log; 0: none; default 10")
      ->option_text("N");
}

Result<void> RecentLog::check() {
  if (lines_text_ == "0") return {};
  const auto lines = parse_count("--lines", lines_text_, kMostLines, kDefaultLines);
  if (!lines) return lines.error();
  lines_ = static_cast<uint32_t>(lines.value());
  return {};
}

void RecentLog::show(const Session& session, const std::string& arena_id) const {
  if (lines_ == 0 || session.format == Format::json) return;
  const auto asked = try_ask(session, {.fill =
                                           [&](wire::Request::Builder request) {
                                             auto query = request.initLogs();
                                             query.initSelection().initArenas(1).set(0, arena_id);
                                             query.setLimit(lines_);
                                           },
                                       .expected = wire::Reply::LOGS,
                                       .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                         const auto lines = reply.getLogs().getLines();
                                         if (lines.size() != 0) session.console.data("\n");
                                         for (const auto line : lines) {
                                           session.console.data(log_line_text(line, session.console.colour()));
                                         }
                                         return ExitCode::ok;
                                       }});
  if (!asked) session.console.note("the last lines of its log cannot be shown: " + printable(asked.error().text()));
}

}  // namespace arenad::cli
