#include "cli/top_screen.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "cli/arena_state.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr size_t kLinesAround = 4;  // arenad, summary, header, keys

struct SortKey {
  char key;
  TopColumn column;
};
constexpr std::array kSortKeys{SortKey{'c', TopColumn::load},   SortKey{'m', TopColumn::memory},
                               SortKey{'l', TopColumn::late},   SortKey{'t', TopColumn::tick_rate},
                               SortKey{'e', TopColumn::events}, SortKey{'x', TopColumn::restarts},
                               SortKey{'n', TopColumn::arena}};

constexpr const char* kKeys = "q quit  < > sort  r reverse  / filter  arrows scroll  h help";

constexpr std::array kHelp{
    "q              leave",
    "< >            sort by the column to the left, to the right",
    "c m l t e x n  sort by cpu, mem, late, tick/s, events/s, restarts, name",
    "r              the other way round",
    "/              only arenas whose name or game has this, or that are in this state; empty: all",
    "arrows, pages  go through the list; also j and k",
    "h ?            this, and back",
    "",
    "tick/s, events/s  between the last two looks",
    "late              how late frames begin: 99 of 100 are better",
    "lag               frames that the database does not have yet",
    "cpu               share of a core: frames a second times their mean time",
    "mem               shared memory",
};

}  // namespace

void TopScreen::set_rows(std::vector<TopRow> rows, std::string daemon) {
  rows_ = std::move(rows);
  daemon_ = std::move(daemon);
}

bool TopScreen::take(Key key) {
  if (asks_filter_) {
    take_in_filter(key);
    return true;
  }
  const auto letter = static_cast<char>(static_cast<int>(key) < 256 ? static_cast<int>(key) : 0);
  if (letter == 'q') return false;
  if (letter == 'h' || letter == '?') {
    shows_help_ = !shows_help_;
    return true;
  }
  shows_help_ = shows_help_ && key == Key::none;
  if (letter == '<') move_sort(-1);
  if (letter == '>') move_sort(1);
  if (letter == 'r') order_.reversed = !order_.reversed;
  if (letter == '/') asks_filter_ = true;
  if (key == Key::escape) order_.filter.clear();
  if (key == Key::up || letter == 'k') move(-1);
  if (key == Key::down || letter == 'j') move(1);
  if (key == Key::page_up) move(-static_cast<long>(page_));
  if (key == Key::page_down) move(static_cast<long>(page_));
  if (key == Key::home) selected_ = 0;
  if (key == Key::end) selected_ = shown_ == 0 ? 0 : shown_ - 1;
  for (const SortKey& sort : kSortKeys) {
    if (sort.key == letter) order_.column = sort.column;
  }
  return true;
}

void TopScreen::take_in_filter(Key key) {
  const int code = static_cast<int>(key);
  if (key == Key::enter || key == Key::escape) {
    asks_filter_ = false;
    if (key == Key::escape) order_.filter.clear();
  } else if (key == Key::backspace) {
    if (!order_.filter.empty()) order_.filter.pop_back();
  } else if (code >= ' ' && code < 256) {
    order_.filter += static_cast<char>(code);
  }
  selected_ = 0;
}

void TopScreen::move_sort(int by) {
  const auto names = top_column_names();
  const auto at = std::ranges::find(names, name_of(order_.column)) - names.begin() + by;
  if (at < 0 || at >= static_cast<long>(names.size())) return;
  order_.column = *top_column_named(names[static_cast<size_t>(at)]);
}

void TopScreen::move(long by) {
  const long last = shown_ == 0 ? 0 : static_cast<long>(shown_) - 1;
  selected_ = static_cast<size_t>(std::clamp(static_cast<long>(selected_) + by, 0l, last));
}

std::string TopScreen::summary(size_t shown) const {
  std::string text = fmt::format("{} of {} arenas, sorted by {}{}", shown, rows_.size(), name_of(order_.column),
                                 order_.reversed ? ", the other way round" : "");
  if (!order_.filter.empty() || asks_filter_) text += "; filter: " + printable(order_.filter) + (asks_filter_ ? "_" : "");
  return text;
}

std::vector<TopLine> TopScreen::help_lines() const {
  std::vector<TopLine> lines;
  for (const char* line : kHelp) lines.push_back({line});
  return lines;
}

std::vector<TopLine> TopScreen::lines(size_t width, size_t height) {
  const auto rows = arranged(rows_, order_);
  shown_ = rows.size();
  page_ = height > kLinesAround ? height - kLinesAround : 1;
  selected_ = std::min(selected_, rows.empty() ? 0 : rows.size() - 1);
  first_ = first_seen(first_, selected_, rows.size(), page_);
  std::vector<TopLine> lines{{daemon_}};
  lines.push_back(trouble_.empty() ? TopLine{summary(rows.size())} : TopLine{trouble_, Tone::bad});
  if (shows_help_) {
    for (TopLine& line : help_lines()) lines.push_back(std::move(line));
  } else {
    const TopTable table = top_table(rows, order_.column, width);
    lines.push_back({table.header, Tone::plain, true});
    for (size_t i = first_; i < rows.size() && i < first_ + page_; ++i) {
      const Standing standing = standing_of(rows[i].arena.state);
      const Tone tone = standing == Standing::running ? Tone::plain : tone_of(standing);
      lines.push_back({table.lines[i], tone, i == selected_});
    }
  }
  lines.resize(std::max<size_t>(height, 1));
  if (height >= kLinesAround) lines.back() = {kKeys, Tone::heading};
  for (TopLine& line : lines) line.text = first_columns(line.text, width);
  return lines;
}

}  // namespace arenad::cli
