// top: arenas as they are now, again and again. On a terminal a screen with keys, otherwise plain tables.
#include <algorithm>
#include <charconv>
#include <deque>
#include <fmt/format.h>
#include <memory>
#include <thread>
#include <unistd.h>

#include <CLI/App.hpp>
#include <kj/exception.h>

#include "cli/command.h"
#include "cli/duration_option.h"
#include "cli/json.h"
#include "cli/screen.h"
#include "cli/selection.h"
#include "cli/suggestion.h"
#include "cli/table_options.h"
#include "cli/top_screen.h"
#include "cli/top_view.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kDefaultIntervalMs = 1000;
constexpr uint64_t kShortestIntervalMs = 100;
constexpr uint64_t kPatienceMs = 1000;  // with an arenad that does not answer, while somebody presses keys
constexpr uint64_t kKeyMs = 50;         // how soon a signal that comes between two keys is noticed

class TopCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "top",
        .summary = "Shows arenas live, the busiest first; plain tables where there is no terminal",
        .example = "arenactl top --sort late",
        .details =
            "h shows the keys. TICK/S and EVENTS/S are counted between two looks, LATE is how late frames begin (99 of 100 "
            "are\n"
            "better), LAG how many frames the database does not have yet, CPU how much of a core the worker has taken\n"
            "between two looks, with all that it does and all of its threads. When arenad goes away it is said, and what the "
            "next one tells is shown.\n"
            "Without a terminal, or with --batch, a table is printed for each look, without end or as often as -n says; with\n"
            "--json the answer of arenactl status --json.\n\n"
            "Examples:\n"
            "  arenactl top\n"
            "  arenactl top game:tanks --sort events/s --interval 500ms\n"
            "  arenactl top -n 1 --batch\n\n" +
            columns_help(top_column_names())};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    add_duration_option(
        app, "--interval", [this](uint64_t ms) { interval_ms_ = std::max(ms, kShortestIntervalMs); },
        "From one look to the next; default 1s, at least 100ms");
    app.add_option("--sort", sort_, "The column to sort by; default cpu")->option_text("COLUMN");
    app.add_flag("--reverse", order_.reversed, "The other way round");
    app.add_option("--filter", order_.filter, "Only arenas whose name or game has this, or that are in this state")
        ->option_text("TEXT");
    app.add_option("-n,--iterations", iterations_text_, "So many looks; default without end")->option_text("N");
    app.add_flag("-b,--batch", batch_, "Plain tables, also on a terminal");
  }

  ExitCode run(const Session& session) override {
    if (const auto prepared = prepare(); !prepared) return session.fail(prepared.error());
    const bool screen =
        !batch_ && session.format == Format::text && session.console.on_terminal() && ::isatty(STDIN_FILENO) == 1;
    if (screen) {
      // What is wrong at once is said as by every verb.
      if (const auto looked = look(session); !looked) return session.fail(looked.error());
      if (auto opened = Screen::open(session.console.colour())) return show_on(*opened, session);
      session.console.note("this terminal cannot show it (TERM): plain tables follow");
    }
    return print_tables(session);
  }

 private:
  Result<void> prepare() {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    const auto column = top_column_named(column_name_of(sort_));
    if (!column) {
      const auto names = top_column_names();
      return make_error(ErrorCode::invalid, fmt::format("--sort: no column is called '{}'{}; there are: {}", sort_,
                                                        did_you_mean(column_name_of(sort_), names), fmt::join(names, " ")));
    }
    order_.column = *column;
    if (iterations_text_.empty()) return {};
    const char* end = iterations_text_.data() + iterations_text_.size();
    const auto [at, error] = std::from_chars(iterations_text_.data(), end, iterations_);
    if (error == std::errc() && at == end && iterations_ != 0) return {};
    return make_error(ErrorCode::invalid, "-n: '" + iterations_text_ + "' is no number from 1 on");
  }

  // The newest look becomes the last of two.
  Result<ExitCode> look(const Session& session) {
    Session patient = session;
    if (!patient.timeout_ms) patient.timeout_ms = kPatienceMs;
    return try_ask(patient, {.fill =
                                 [&](wire::Request::Builder request) {
                                   auto builder = request.initStatus();
                                   fill_selection(builder, selection_);
                                   builder.setAll(selection_.arenas.empty());
                                 },
                             .expected = wire::Reply::STATUS,
                             .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                               const auto status = reply.getStatus();
                               if (session.format == Format::json) json_ = status_json({status, unix_ms(), {}, {}});
                               looks_.push_back(top_look_of(status, monotonic_ns()));
                               if (looks_.size() > 2) looks_.pop_front();
                               return ExitCode::ok;
                             }});
  }

  [[nodiscard]] std::vector<TopRow> rows() const {
    return top_rows(looks_.back(), looks_.size() > 1 ? &looks_.front() : nullptr);
  }

  ExitCode print_tables(const Session& session) {
    if (looks_.empty()) {
      // Rates need a look before.
      if (const auto looked = look(session); !looked) return session.fail(looked.error());
    }
    for (uint64_t i = 0; iterations_ == 0 || i < iterations_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms_));
      if (const auto looked = look(session); !looked) return session.fail(looked.error());
      session.console.data(session.format == Format::json ? json_ : text_of_look());
      session.console.flush();
    }
    return ExitCode::ok;
  }

  [[nodiscard]] std::string text_of_look() const {
    const TopTable table = top_table(arranged(rows(), order_), order_.column, 0);
    std::string text = looks_.back().daemon + "\n";
    const auto add = [&text](const std::string& line) { text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n"; };
    add(table.header);
    for (const std::string& line : table.lines) add(line);
    return text + "\n";
  }

  ExitCode show_on(Screen& screen, const Session& session) {
    TopScreen top(order_);
    top.set_rows(rows(), looks_.back().daemon);
    uint64_t next_look_ns = monotonic_ns() + interval_ms_ * kMillisecond;
    for (uint64_t done = 1; !Screen::is_over();) {
      draw(screen, top);
      const Key key = screen.key(kKeyMs);
      if (key == Key::resized || static_cast<int>(key) == 'L' - '@') screen.repaint();
      if (!top.take(key)) break;
      if (monotonic_ns() < next_look_ns) continue;
      if (iterations_ != 0 && done++ >= iterations_) break;
      look_again(top, session);
      next_look_ns = monotonic_ns() + interval_ms_ * kMillisecond;
    }
    return ExitCode::ok;
  }

  void look_again(TopScreen& top, const Session& session) {
    const auto looked = look(session);
    if (looked) {
      top.set_rows(rows(), looks_.back().daemon);
      top.set_trouble("");
      return;
    }
    const bool away = looked.error().code == ErrorCode::unreachable || looked.error().code == ErrorCode::timeout;
    top.set_trouble((away ? "arenad is away, and is looked for: " : "") + printable(looked.error().text()));
  }

  static void draw(Screen& screen, TopScreen& top) {
    screen.begin();
    size_t row = 0;
    for (const TopLine& line : top.lines(screen.width(), screen.height())) {
      screen.line(row++, line.text, line.tone, line.reversed ? Screen::Emphasis::reversed : Screen::Emphasis::none);
    }
    screen.show();
  }

  ArenaSelection selection_;
  uint64_t interval_ms_ = kDefaultIntervalMs;
  std::string sort_ = "cpu";
  TopOrder order_;
  std::string iterations_text_;
  uint64_t iterations_ = 0;  // 0: without end
  bool batch_ = false;
  std::deque<TopLook> looks_;  // the last two
  std::string json_;
};

}  // namespace

std::unique_ptr<Command> top_command() {
  return std::make_unique<TopCommand>();
}

}  // namespace arenad::cli
