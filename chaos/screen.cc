#include "chaos/screen.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
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
  int worth;  // the least is left out first
};
constexpr std::array<Column, 8> kColumns = {{{"ARENA", 12, Column::Side::left, 8},
                                             {"STATE", 12, Column::Side::left, 7},
                                             {"FRAME", 8, Column::Side::right, 4},
                                             {"EPOCH", 7, Column::Side::right, 1},
                                             {"EVENTS", 10, Column::Side::right, 3},
                                             {"OUTPUTS", 10, Column::Side::right, 2},
                                             {"KILLS", 7, Column::Side::right, 5},
                                             {"RECOVERY", 13, Column::Side::right, 6}}};
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

// The worth from which on columns have room, all together.
int least_worth(size_t columns) {
  int least = 0;
  for (;; ++least) {
    size_t width = 0;
    for (const Column& column : kColumns) width += column.worth >= least ? column.width : 0;
    if (width <= columns) return least;
  }
}

std::string row_text(const Row& row, int least) {
  std::string text;
  for (size_t i = 0; i < row.size(); ++i) {
    const Column& column = kColumns[i];
    if (column.worth < least) continue;
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
          std::to_string(arena.kills),
          recovery_text(arena.last_recovery_ms)};
}

Row row_of_all(const Picture& picture) {
  const Totals totals = totals_of(picture);
  return {"all",
          fmt::format("{} running", totals.up),
          "",
          "",
          std::to_string(totals.events),
          std::to_string(totals.outputs),
          std::to_string(picture.kills),
          recovery_text(totals.last_recovery_ms)};
}

ScreenSize size_of(FILE* terminal) {
  ScreenSize size;
  winsize known{};
  if (::ioctl(::fileno(terminal), TIOCGWINSZ, &known) != 0) return size;
  if (known.ws_col != 0) size.columns = known.ws_col;
  if (known.ws_row != 0) size.rows = known.ws_row;
  return size;
}

}  // namespace

std::vector<std::string> table_lines(const Picture& picture, ScreenSize size) {
  const int least = least_worth(size.columns);
  const size_t rows = size.rows - 1;
  const size_t room = rows > kFixedLines ? rows - kFixedLines : 0;
  size_t shown = picture.arenas.size();
  if (shown > room) shown = room > 1 ? room - 1 : 0;
  std::vector<std::string> lines = {fmt::format("{:.1f} s, {} bots", picture.seconds, picture.bots),
                                    row_text(headings(), least)};
  for (size_t i = 0; i < shown; ++i) lines.push_back(row_text(row_of(picture.arenas[i]), least));
  if (shown < picture.arenas.size()) lines.push_back(fmt::format("... and {} more", picture.arenas.size() - shown));
  lines.push_back(row_text(row_of_all(picture), least));
  if (lines.size() > rows) lines.resize(rows);
  for (std::string& line : lines) line.resize(std::min(line.size(), size.columns));
  return lines;
}

std::string line_text(const Picture& picture) {
  const Totals totals = totals_of(picture);
  return fmt::format(
      "{:5.1f} s  {} of {} arenas running  frame {}  events {}  outputs {}  kills {}  last recoveries up to {:.1f} ms\n",
      picture.seconds, totals.up, picture.arenas.size(), totals.frame, totals.events, totals.outputs, picture.kills,
      totals.last_recovery_ms);
}

Screen::Screen(FILE* out) : out_(out), kind_(::isatty(::fileno(out)) == 1 ? Kind::terminal : Kind::plain) {}

void Screen::show(const Picture& picture, uint64_t now_ns) {
  switch (kind_) {
    case Kind::terminal: {
      // Up to where the table began, and all below it away (ECMA-48: CUU, ED).
      if (lines_to_redraw_ != 0) std::fputs(fmt::format("\x1b[{}A\x1b[J", lines_to_redraw_).c_str(), out_);
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

void Screen::say(const std::string& text) {
  // A terminal has just echoed Ctrl-C there, if that is why something is said (ECMA-48: ED).
  if (kind_ == Kind::terminal) std::fputs("\r\x1b[J", out_);
  std::fputs((text + "\n").c_str(), out_);
  std::fflush(out_);
  lines_to_redraw_ = 0;
}

}  // namespace arenad::chaos
