// slow: where the time of slow frames went.
#include <algorithm>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/duration_option.h"
#include "cli/flame_graph.h"
#include "cli/slow_table.h"
#include "cli/stack_symbols.h"
#include "cli/table_options.h"
#include "cli/text_file.h"
#include "ipc/clock.h"
#include "ipc/limits.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class SlowCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "slow",
        .summary = "Shows what made frames slow: where they were caught, put together",
        .example = "arenactl slow tanks --since 1h --flame slow.svg",
        .details =
            fmt::format(
                "A frame that runs for longer than the soft limit is caught once, where it is at that moment: the game's own\n"
                "calls, if it is in a language that tells them, and the native ones. TOTAL-MS is what the frames had run for\n"
                "when they were caught. CALL-SITE is the innermost call of the game's own language, and the native function\n"
                "that it has called; of a game that is native code, the innermost function of its own. The newest {} of each\n"
                "arena are kept. Names of native functions come from the files that were run, if they are still there.\n\n"
                "Examples:\n"
                "  arenactl slow\n"
                "  arenactl slow tanks --arena 'duel-*' --stacks\n"
                "  arenactl slow --since 30m --flame slow.svg && xdg-open slow.svg\n"
                "  arenactl slow --json | jq -r '.slow.sites[0].call_site'\n\n",
                limits::kMaxSlowOfArena) +
            table_.help()};
  }

  void add_options(CLI::App& app) override {
    app.add_option("GAME", game_, "Only this game's; default all")->option_text(" ");
    app.add_option("--arena", arena_, "Only those of this arena: a name, an id, or a glob over names")->option_text("ARENA");
    add_duration_option(
        app, "--since", [this](uint64_t ms) { since_ms_ = ms; }, "Only those of the last so long: 30m, 2h");
    app.add_option("--limit", limit_text_, fmt::format("The newest so many; default {}", kDefaultLimit))->option_text("N");
    app.add_flag_callback(
        "--stacks", [this] { stacks_ = Stacks::included; }, "Whole stacks rather than call sites");
    app.add_option("--flame", flame_file_, "Writes a flame graph too, an SVG that needs nothing else")->option_text("FILE");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto prepared = prepare(); !prepared) return session.fail(prepared.error());
    do {
      const auto code = try_ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initSlow()); },
                                          .expected = wire::Reply::SLOW,
                                          .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                            take(reply.getSlow());
                                            return ExitCode::ok;
                                          }});
      if (!code) return session.fail(code.error());
    } while (next_ != 0 && frames_.size() < limit_);
    if (!flame_file_.empty()) {
      const auto written = write_text_file(flame_file_, flame_svg(frames_, title()));
      if (!written) return session.fail(written.error());
    }
    report(session);
    return ExitCode::ok;
  }

 private:
  static constexpr uint64_t kDefaultLimit = 1000;

  [[nodiscard]] Result<void> prepare() {
    if (auto checked = table_.check(); !checked) return checked;
    if (stacks_ == Stacks::included && table_.is_wanted()) {
      return make_error(ErrorCode::invalid, "--stacks is no table: it has no columns and no header");
    }
    const auto limit = parse_count("--limit", limit_text_, limits::kMaxIncidents, kDefaultLimit);
    if (!limit) return limit.error();
    limit_ = limit.value();
    if (since_ms_) since_unix_ms_ = static_cast<int64_t>(unix_ms()) - static_cast<int64_t>(*since_ms_);
    return {};
  }

  void fill(wire::SlowQuery::Builder query) const {
    query.setGame(game_);
    query.setArena(arena_);
    query.setSinceUnixMs(since_unix_ms_);
    query.setBefore(next_);
  }

  void take(wire::SlowFrames::Reader slow) {
    // What does not go on ends here, whatever the other side says.
    next_ = next_ == 0 || slow.getNext() < next_ ? slow.getNext() : 0;
    for (const auto report : slow.getReports()) {
      if (frames_.size() == limit_) return;
      const StackSymbols symbols = symbols_of(report.getStack(), symbolizer_);
      frames_.push_back(slow_frame_of(report, symbols));
      for (const std::string& problem : symbols.problems) {
        if (std::ranges::find(problems_, problem) == problems_.end()) problems_.push_back(problem);
      }
    }
  }

  [[nodiscard]] std::string title() const {
    std::string title = "Slow frames";
    if (!game_.empty()) title += " of " + printable(game_);
    if (!arena_.empty()) title += ", arena " + printable(arena_);
    if (!frames_.empty()) title += ": " + extent_text(extent_of(frames_));
    return title;
  }

  void report(const Session& session) const {
    const Console& console = session.console;
    if (session.format == Format::json) {
      console.data(slow_json(frames_, stacks_));
    } else if (stacks_ == Stacks::included) {
      console.data(slow_stacks_text(slow_stacks(frames_), console.colour()));
    } else {
      console.data(table_.text(slow_table(slow_sites(frames_)), console.colour()));
    }
    console.note(extent_text(extent_of(frames_)));
    for (const std::string& problem : problems_) console.note(printable(problem));
  }

  std::string game_;
  std::string arena_;
  std::optional<uint64_t> since_ms_;
  int64_t since_unix_ms_ = 0;
  std::string limit_text_;
  uint64_t limit_ = kDefaultLimit;
  Stacks stacks_ = Stacks::left_out;
  std::string flame_file_;
  TableOptions table_{slow_table({})};

  uint64_t next_ = 0;
  Symbolizer symbolizer_;
  std::vector<SlowFrameFacts> frames_;
  std::vector<std::string> problems_;  // files that could not be used, each once
};

}  // namespace

std::unique_ptr<Command> slow_command() {
  return std::make_unique<SlowCommand>();
}

}  // namespace arenad::cli
