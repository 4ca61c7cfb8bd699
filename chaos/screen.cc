#include "chaos/screen.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kRedrawNs = kSecond / 4;
constexpr uint64_t kLineNs = kSecond;
constexpr size_t kFixedLines = 3;  // how long it has gone on, the headings, the sums

struct Column {
  const char* heading;
  size_t width;
  enum class Side { left, right } side;
  int worth;                                      // the least is left out first
  std::optional<Subject> subject = std::nullopt;  // shown with this one alone
};
constexpr std::array<Column, 9> kColumns = {{{"ARENA", 12, Column::Side::left, 8},
                                             {"STATE", 12, Column::Side::left, 7},
                                             {"FRAME", 8, Column::Side::right, 4},
                                             {"EPOCH", 7, Column::Side::right, 1},
                                             {"EVENTS", 10, Column::Side::right, 3},
                                             {"OUTPUTS", 10, Column::Side::right, 2},
                                             {"VERSION", 17, Column::Side::right, 6, Subject::changes_of_code},
                                             {"KILLS", 7, Column::Side::right, 5, Subject::kills},
                                             {"RECOVERY", 13, Column::Side::right, 6, Subject::kills}}};
using Row = std::array<std::string, kColumns.size()>;

struct Totals {
  size_t up = 0;
  uint64_t frame = 0;  // of the arena that is furthest
  uint64_t events = 0;
  uint64_t outputs = 0;
  double last_recovery_ms = 0;  // the longest of the arenas' last ones
};

Totals totals_of(const Picture& picture) {
  Totals totals;
  for (const ArenaPicture& arena : picture.arenas) {
    if (arena.state == "running") ++totals.up;
    totals.frame = std::max(totals.frame, arena.frame);
    totals.events += arena.events;
    totals.outputs += arena.outputs;
    totals.last_recovery_ms = std::max(totals.last_recovery_ms, arena.last_recovery_ms);
  }
  return totals;
}

std::string recovery_text(double milliseconds) {
  return milliseconds == 0 ? "-" : fmt::format("{:.1f} ms", milliseconds);
}

// Which columns are shown: of one subject, from a worth on.
struct Choice {
  Subject subject;
  int least_worth = 0;
  [[nodiscard]] bool has(const Column& column) const {
    return column.worth >= least_worth && column.subject.value_or(subject) == subject;
  }
};

// Those that have room, all together.
Choice choose(Subject subject, size_t columns) {
  for (Choice choice{subject};; ++choice.least_worth) {
    size_t width = 0;
    for (const Column& column : kColumns) width += choice.has(column) ? column.width : 0;
    if (width <= columns) return choice;
  }
}

std::string row_text(const Row& row, const Choice& choice) {
  std::string text;
  for (size_t i = 0; i < row.size(); ++i) {
    const Column& column = kColumns[i];
    if (!choice.has(column)) continue;
    text += column.side == Column::Side::left ? fmt::format("{:<{}}", row[i], column.width)
                                              : fmt::format("{:>{}}", row[i], column.width);
  }
  return text;
}

Row headings() {
  Row row;
  for (size_t i = 0; i < row.size(); ++i) row[i] = kColumns[i].heading;
  return row;
}

Row row_of(const ArenaPicture& arena) {
  return {arena.name,
          arena.state,
          std::to_string(arena.frame),
          std::to_string(arena.epoch),
          std::to_string(arena.events),
          std::to_string(arena.outputs),
          arena.version,
          std::to_string(arena.kills),
          recovery_text(arena.last_recovery_ms)};
}

Row row_of_all(const Picture& picture) {
  const Totals totals = totals_of(picture);
  return {"all", fmt::format("{} running", totals.up), "",
          "",    std::to_string(totals.events),        std::to_string(totals.outputs),
          "",    std::to_string(picture.kills),        recovery_text(totals.last_recovery_ms)};
}

// "3 x 1.0, 1 x 2.0"
std::string versions_text(const Picture& picture) {
  std::map<std::string, size_t> counts;
  for (const ArenaPicture& arena : picture.arenas) ++counts[arena.version];
  std::vector<std::string> texts;
  texts.reserve(counts.size());
  for (const auto& [version, count] : counts) texts.push_back(fmt::format("{} x {}", count, version));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

ScreenSize size_of(FILE* terminal) {
  ScreenSize size;
  winsize known{};
  if (::ioctl(::fileno(terminal), TIOCGWINSZ, &known) != 0) return size;
  if (known.ws_col != 0) size.columns = known.ws_col;
  if (known.ws_row != 0) size.rows = known.ws_row;
  return size;
}

std::vector<std::string> table_lines(const Picture& picture, ScreenSize size) {
  const Choice choice = choose(picture.subject, size.columns);
  const size_t rows = size.rows - 1;
  const size_t room = rows > kFixedLines ? rows - kFixedLines : 0;
  size_t shown = picture.arenas.size();
  if (shown > room) shown = room > 1 ? room - 1 : 0;
  std::vector<std::string> lines = {fmt::format("{:.1f} s, {} bots", picture.seconds, picture.bots),
                                    row_text(headings(), choice)};
  for (size_t i = 0; i < shown; ++i) lines.push_back(row_text(row_of(picture.arenas[i]), choice));
  if (shown < picture.arenas.size()) lines.push_back(fmt::format("... and {} more", picture.arenas.size() - shown));
  lines.push_back(row_text(row_of_all(picture), choice));
  if (lines.size() > rows) lines.resize(rows);
  for (std::string& line : lines) line.resize(std::min(line.size(), size.columns));
  return lines;
}

std::string line_text(const Picture& picture) {
  const Totals totals = totals_of(picture);
  if (picture.subject == Subject::changes_of_code) {
    return fmt::format("{:5.1f} s  {} of {} arenas running  frame {}  events {}  outputs {}  versions {}\n", picture.seconds,
                       totals.up, picture.arenas.size(), totals.frame, totals.events, totals.outputs, versions_text(picture));
  }
  return fmt::format(
      "{:5.1f} s  {} of {} arenas running  frame {}  events {}  outputs {}  kills {}  last recoveries up to {:.1f} ms\n",
      picture.seconds, totals.up, picture.arenas.size(), totals.frame, totals.events, totals.outputs, picture.kills,
      totals.last_recovery_ms);
}

Screen::Screen(FILE* out) : out_(out), kind_(::isatty(::fileno(out)) == 1 ? Kind::terminal : Kind::plain) {}

void Screen::show(const Picture& picture, uint64_t now_ns) {
  switch (kind_) {
    case Kind::terminal: {
      take_table_away();
      const std::vector<std::string> lines = table_lines(picture, size_of(out_));
      for (const std::string& line : lines) std::fputs((line + "\n").c_str(), out_);
      lines_to_redraw_ = lines.size();
      next_ns_ = now_ns + kRedrawNs;
      break;
    }
    case Kind::plain:
      std::fputs(line_text(picture).c_str(), out_);
      next_ns_ = now_ns + kLineNs;
      break;
  }
  std::fflush(out_);
}

// Up to where the table began, and all below it away (ECMA-48: CUU, ED).
void Screen::take_table_away() {
  if (lines_to_redraw_ != 0) std::fputs(fmt::format("\x1b[{}A\x1b[J", lines_to_redraw_).c_str(), out_);
  lines_to_redraw_ = 0;
}

void Screen::say_above(const std::string& text) {
  if (kind_ == Kind::terminal) {
    take_table_away();
    next_ns_ = 0;
  }
  std::fputs((text + "\n").c_str(), out_);
  std::fflush(out_);
}

void Screen::say(const std::string& text) {
  // A terminal has just echoed Ctrl-C there, if that is why something is said (ECMA-48: ED).
  if (kind_ == Kind::terminal) std::fputs("\r\x1b[J", out_);
  std::fputs((text + "\n").c_str(), out_);
  std::fflush(out_);
  lines_to_redraw_ = 0;
}

}  // namespace arenad::chaos
