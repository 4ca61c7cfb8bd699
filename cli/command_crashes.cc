// crashes, and crashes show.
#include <array>
#include <charconv>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/crash_json.h"
#include "cli/crash_page.h"
#include "cli/id_argument.h"
#include "cli/selection.h"
#include "cli/table_options.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint32_t kMaxLimit = 1000;  // of CrashQuery

enum class Symbols { hidden, shown };

class CrashShowCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "show",
            .summary = "Shows one of them on a page, with its stack",
            .example = {},
            .details =
                "The stack names files and addresses in them. With --symbols arenactl looks the addresses up in these files\n"
                "on this machine, and in their debug information; a file that has another build id than the one that was\n"
                "run is not used, and named on standard error.\n\n"
                "Examples:\n"
                "  arenactl crashes show 17\n"
                "  arenactl crashes show 17 --symbols\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ID", id_text_, "The number that arenactl crashes shows")->required()->option_text(" ");
    app.add_flag_callback(
        "--symbols", [this] { symbols_ = Symbols::shown; }, "Functions and lines of the stack");
  }

  ExitCode run(const Session& session) override {
    const auto id = parse_id("a crash", id_text_);
    if (!id) return session.fail(id.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setCrash(id.value()); },
                         .expected = wire::Reply::CRASH,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getCrash());
                         }});
  }

 private:
  [[nodiscard]] ExitCode report(const Session& session, wire::Crash::Reader crash) const {
    std::optional<StackSymbols> symbols;
    if (symbols_ == Symbols::shown) symbols = symbols_of(crash.getStack());
    const StackSymbols* wanted = symbols ? &*symbols : nullptr;
    const Console& console = session.console;
    console.data(session.format == Format::json ? crash_json(crash, wanted)
                                                : render_crash_page(crash, wanted, console.colour()));
    if (!symbols) return ExitCode::ok;
    for (const std::string& problem : symbols->problems) console.note(printable(problem));
    return ExitCode::ok;
  }

  std::string id_text_;
  Symbols symbols_ = Symbols::hidden;
};

class CrashesCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "crashes",
        .summary = "Shows how workers died, newest first; one of them: crashes show ID",
        .example = "arenactl crashes show 17 --symbols",
        .details =
            std::string(
                "Without an arena, of all of them, ended ones included. What arenad did itself (stop, restart) is no crash.\n"
                "With --slow also frames that were longer than the soft limit, which nobody died of.\n"
                "An arena that is called like a verb: arenactl crashes -- show\n\n"
                "Examples:\n"
                "  arenactl crashes\n"
                "  arenactl crashes 'duel-*' --slow --limit 10\n"
                "  arenactl crashes show 17 --symbols\n"
                "  arenactl crashes --json | jq '.crashes[] | select(.kind == \"hang\") | .name'\n\n") +
            table_.help()};
  }

  [[nodiscard]] std::span<const std::unique_ptr<Command>> verbs() const override { return verbs_; }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_flag("--slow", slow_, "Frames over the soft limit too");
    table_.add_to(app);
    app.add_option("--limit", limit_text_, "The newest so many; default 100")->option_text("N");
  }

  ExitCode run(const Session& session) override {
    if (const auto prepared = prepare(); !prepared) return session.fail(prepared.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initCrashes()); },
                         .expected = wire::Reply::CRASHES,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getCrashes());
                         },
                         .if_unknown = hint()});
  }

 private:
  [[nodiscard]] Result<void> prepare() {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    if (auto checked = table_.check(); !checked) return checked;
    if (limit_text_.empty()) return {};
    const char* end = limit_text_.data() + limit_text_.size();
    const auto [at, error] = std::from_chars(limit_text_.data(), end, limit_);
    if (error == std::errc() && at == end && limit_ >= 1 && limit_ <= kMaxLimit) return {};
    return make_error(ErrorCode::invalid, fmt::format("--limit: '{}' is no number from 1 to {}", limit_text_, kMaxLimit));
  }

  void fill(wire::CrashQuery::Builder query) const {
    fill_selection(query.initSelection(), selection_);
    query.getSelection().setAll(selection_.arenas.empty());
    query.setSlow(slow_);
    query.setLimit(limit_);
  }

  [[nodiscard]] std::string hint() const {
    const std::array<std::string, 1> words{"show"};
    return perhaps_a_verb(selection_, words);
  }

  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::Incident>::Reader incidents) const {
    const Console& console = session.console;
    console.data(session.format == Format::json ? crashes_json(incidents)
                                                : table_.text(crash_table(incidents), console.colour()));
    if (incidents.size() == 0) console.note("nothing is recorded" + hint());
    return ExitCode::ok;
  }

  Commands verbs_ = [] {
    Commands verbs;
    verbs.push_back(std::make_unique<CrashShowCommand>());
    return verbs;
  }();
  ArenaSelection selection_;
  TableOptions table_{crash_table({})};
  bool slow_ = false;
  std::string limit_text_;
  uint32_t limit_ = 0;  // what arenad takes for its default
};

}  // namespace

std::unique_ptr<Command> crashes_command() {
  return std::make_unique<CrashesCommand>();
}

}  // namespace arenad::cli
