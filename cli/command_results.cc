#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/duration_option.h"
#include "cli/result_condition.h"
#include "cli/result_groups.h"
#include "cli/result_source.h"
#include "cli/result_table.h"
#include "cli/suggestion.h"
#include "cli/table_options.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class ResultsCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "results",
            .summary = "Shows the results that arenas have reported, ended ones included, and adds them up",
            .example = "arenactl results --game tanks --by player",
            .details =
                "Of one arena in the order in which they came, of a game newest first, with the fields of the game by their\n"
                "names; they are read with the types of the version that recorded them, also when that version is gone.\n\n"
                "--where takes a comparison: kills>=3, survived=true, player=anna; with = != < <= > >=. Of several, all must\n"
                "hold. NAME is a field, or arena, seat, player, version, type or sequence.\n"
                "--by NAME shows one row for each value of it, with how many results there are and what each field comes to:\n"
                "its sum, the largest, the newest or whether any was true, as the game declares. --aggregate is one row of\n"
                "all. --sort FIELD or --sort count puts the largest first.\n\n" +
                fmt::format("At most the newest {} results are looked at; if there are more, that is said.\n\n", kMostResults) +
                "Examples:\n"
                "  arenactl results duel-1\n"
                "  arenactl results --game tanks --since 24h --by player --sort damageDealt --limit 10\n"
                "  arenactl results --game tanks --where 'kills>=3' --where survived=true -o when,arena,player,kills\n"
                "  arenactl results duel-1 --json | jq '.results[0].fields'\n\n" +
                "Columns are also the fields of the results, called as in the schema: damageDealt is damage-dealt.\n\n" +
                table_.help()};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", question_.arena, "A name or id")->option_text(" ");
    app.add_option("--game", question_.game, "Of all arenas of this game instead, also those that are forgotten")
        ->option_text("GAME");
    add_duration_option(
        app, "--since", [this](uint64_t ms) { since_ms_ = ms; }, "Only what was recorded in this time until now");
    app.add_option("--where", where_, "Only those for which it holds; may be given several times")
        ->option_text("NAME=VALUE")
        ->allow_extra_args(false);
    app.add_option("--by", question_.by, "One row for each value of it")->option_text("player|arena|seat|version|FIELD");
    app.add_flag("--aggregate", aggregates_, "One row for all of them, or for each value of --by");
    app.add_option("--sort", sort_, "With --by: the largest of this field first, or of count")->option_text("FIELD");
    app.add_option("--limit", limit_text_, "The newest so many, or with --by the first rows")->option_text("N");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto read = read_options(); !read) return session.fail(read.error());
    const auto shown = is_grouped() ? show_groups(session) : show_rows(session);
    return shown ? shown.value() : session.fail(shown.error());
  }

 private:
  static constexpr uint64_t kUsualRows = 100;  // of a game

  [[nodiscard]] bool is_grouped() const { return aggregates_ || !question_.by.empty(); }

  [[nodiscard]] Result<void> read_options() {
    if (question_.arena.empty() == question_.game.empty()) {
      return make_error(ErrorCode::invalid, "either an arena or --game GAME is wanted");
    }
    if (!sort_.empty() && question_.by.empty()) return make_error(ErrorCode::invalid, "--sort goes with --by");
    const bool shows_few = !is_grouped() && question_.arena.empty();
    const auto limit = parse_count("--limit", limit_text_, kMostResults, shows_few ? kUsualRows : kMostResults);
    if (!limit) return limit.error();
    limit_ = limit.value();
    for (const std::string& text : where_) {
      auto condition = ResultCondition::parse(text);
      if (!condition) return condition.error();
      conditions_.push_back(std::move(*condition));
    }
    return {};
  }

  // Calls take() for each result for which all conditions hold.
  template <class Take>
  Result<void> read(ResultSource& source, Take take) {
    WantedResults wanted{.arena = question_.arena, .game = question_.game};
    if (since_ms_) wanted.since_unix_ms = static_cast<int64_t>(unix_ms()) - static_cast<int64_t>(*since_ms_);
    const auto read = source.read(wanted, [&](ResultRow row) -> Result<Reading> {
      if (row.fields_type == nullptr && unread_++ == 0) why_unread_ = row.why_unread;
      all_columns_.add(row);
      for (const ResultCondition& condition : conditions_) {
        const auto met = condition.is_met_by(row);
        if (!met) return met.error();
        if (!met.value()) return Reading::goes_on;
      }
      return take(std::move(row));
    });
    if (!read) return read.error();
    answer_ = {.looked_at = read.value().count, .cut_off = read.value().cut_off};
    if (answer_.looked_at == 0) return {};
    for (const ResultCondition& condition : conditions_) {
      if (auto known = check_name("--where", condition.name()); !known) return known;
    }
    return question_.by.empty() ? Result<void>() : check_name("--by", question_.by);
  }

  // Nobody's field: a slip, and not the answer that there are none. While there are results whose fields cannot be told, nobody knows.
  [[nodiscard]] Result<void> check_name(const char* option, const std::string& name) const {
    std::vector<std::string> names(std::begin(kRowNames), std::end(kRowNames));
    if (unread_ != 0 || std::ranges::find(names, squeezed(name)) != names.end() || all_columns_.find(name)) return {};
    for (const ResultField& field : all_columns_.fields()) names.push_back(printable(field.name));
    return make_error(ErrorCode::invalid, fmt::format("{}: nothing is called '{}'{}; there are: {}", option, name,
                                                      did_you_mean(name, names), fmt::join(names, " ")));
  }

  Result<ExitCode> show_rows(const Session& session) {
    ResultSource source(session);
    std::vector<ResultRow> rows;
    ResultColumns columns;
    bool has_more = false;
    const auto done = read(source, [&](ResultRow row) {
      has_more = rows.size() == limit_;
      if (has_more) return Reading::is_enough;
      columns.add(row);
      rows.push_back(std::move(row));
      return Reading::goes_on;
    });
    if (!done) return done.error();
    if (!question_.arena.empty()) std::ranges::reverse(rows);
    if (rows.empty()) columns = all_columns_;
    if (session.format == Format::json) {
      session.console.data(results_json(rows, question_, answer_));
    } else {
      const auto printed = print(session, result_table(rows, columns), usual_result_columns(rows, columns, question_));
      if (!printed) return printed.error();
    }
    if (has_more) session.console.note(fmt::format("there are more: the newest {} are shown (--limit)", limit_));
    note_what_is_missing(session);
    return ExitCode::ok;
  }

  Result<ExitCode> show_groups(const Session& session) {
    ResultSource source(session);
    ResultGroups groups(question_.by);
    const auto done = read(source, [&](const ResultRow& row) {
      groups.add(row);
      return Reading::goes_on;
    });
    if (!done) return done.error();
    auto sorted = groups.sorted(sort_);
    if (!sorted) return sorted.error();
    const size_t count = sorted->size();
    if (count > limit_) sorted->resize(limit_);
    const ResultColumns& columns = count == 0 ? all_columns_ : groups.columns();
    if (session.format == Format::json) {
      session.console.data(result_groups_json(*sorted, columns, question_, answer_));
    } else {
      const auto printed = print(session, result_group_table(*sorted, columns, question_), {});
      if (!printed) return printed.error();
    }
    if (count > limit_)
      session.console.note(fmt::format("there are more: the first {} of {} are shown (--limit)", limit_, count));
    note_what_is_missing(session);
    return ExitCode::ok;
  }

  // usual: the columns to show if none are chosen; empty: all.
  Result<void> print(const Session& session, const Table& table, const std::vector<size_t>& usual) {
    // Without a result nobody knows which fields there are.
    if (answer_.looked_at != 0) {
      if (auto checked = table_.check(table); !checked) return checked;
    }
    const bool is_chosen = table_.chooses_columns() || usual.empty();
    session.console.data(table_.text(is_chosen ? table : table.with_columns(usual), session.console.colour()));
    return {};
  }

  void note_what_is_missing(const Session& session) const {
    if (unread_ != 0) {
      session.console.note(fmt::format("the fields of {} results cannot be told: {}", unread_, printable(why_unread_)));
    }
    if (answer_.cut_off) {
      session.console.note(fmt::format("there are more than are looked at: these are of the newest {}; --since narrows it down",
                                       answer_.looked_at));
    }
  }

  ResultQuestion question_;
  std::optional<uint64_t> since_ms_;
  std::vector<std::string> where_;
  std::vector<ResultCondition> conditions_;
  bool aggregates_ = false;
  std::string sort_;
  std::string limit_text_;
  uint64_t limit_ = 0;
  ResultAnswer answer_;
  ResultColumns all_columns_;  // also of results for which no condition holds
  uint64_t unread_ = 0;
  std::string why_unread_;  // the first of them
  TableOptions table_{result_table({}, {})};
};

}  // namespace

std::unique_ptr<Command> results_command() {
  return std::make_unique<ResultsCommand>();
}

}  // namespace arenad::cli
