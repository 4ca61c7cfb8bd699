#include "chaos/screen.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kRedrawNs = kSecond / 4;
constexpr uint64_t kLineNs = kSecond;
constexpr size_t kUsualColumns = 80;

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

std::string recovery_text(const ArenaPicture& arena) {
  return arena.last_recovery_ms == 0 ? "-" : fmt::format("{:.1f} ms", arena.last_recovery_ms);
}

size_t columns_of(FILE* terminal) {
  winsize size{};
  const bool known = ::ioctl(::fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return known ? size.ws_col : kUsualColumns;
}

}  // namespace

std::string table_text(const Picture& picture, size_t columns) {
  const Totals totals = totals_of(picture);
  std::vector<std::string> lines = {fmt::format("{:<12}{:<12}{:>8}{:>7}{:>10}{:>10}{:>7}{:>13}", "ARENA", "STATE", "FRAME",
                                                "EPOCH", "EVENTS", "OUTPUTS", "KILLS", "RECOVERY")};
  for (const ArenaPicture& arena : picture.arenas) {
    lines.push_back(fmt::format("{:<12}{:<12}{:>8}{:>7}{:>10}{:>10}{:>7}{:>13}", arena.name, arena.state, arena.frame,
                                arena.epoch, arena.events, arena.outputs, arena.kills, recovery_text(arena)));
  }
  lines.push_back(fmt::format("{:<12}{:<12}{:>8}{:>7}{:>10}{:>10}{:>7}{:>12.1f}s", "all", fmt::format("{} bots", picture.bots),
                              "", "", totals.events, totals.outputs, picture.kills, picture.seconds));
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, columns) + "\n";
  return text;
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
      std::fputs(table_text(picture, columns_of(out_)).c_str(), out_);
      lines_to_redraw_ = picture.arenas.size() + 2;
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
  std::fputs((text + "\n").c_str(), out_);
  std::fflush(out_);
  lines_to_redraw_ = 0;
}

}  // namespace arenad::chaos
