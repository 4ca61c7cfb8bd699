#include "cli/top_view.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <functional>
#include <map>

#include "cli/arena_fields.h"
#include "cli/quantity.h"
#include "cli/render.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

std::string rate_text(const std::optional<double>& rate) {
  return rate ? fmt::format("{:.1f}", *rate) : "";
}

std::string share_text(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f}%", 100 * *share) : "";
}

// The database has it later than the arena, but for an arena that was just set back.
uint64_t frames_behind(const TopArena& arena) {
  return arena.frame > arena.durable_frame ? arena.frame - arena.durable_frame : 0;
}

struct ColumnRule {
  TopColumn column;
  std::string_view name;
  Align align;
  int importance;  // the least important leaves first
  std::string (*text)(const TopRow&);
  double (*number)(const TopRow&);  // to sort by, largest first; null: by the text
};

constexpr std::array kColumns{
    ColumnRule{TopColumn::arena, "arena", Align::left, 100, [](const TopRow& row) { return printable(row.arena.name); },
               nullptr},
    ColumnRule{TopColumn::game, "game", Align::left, 50, [](const TopRow& row) { return printable(row.arena.game); }, nullptr},
    ColumnRule{TopColumn::state, "state", Align::left, 90, [](const TopRow& row) { return printable(row.arena.state); },
               nullptr},
    ColumnRule{TopColumn::tick_rate, "tick/s", Align::right, 80, [](const TopRow& row) { return rate_text(row.frames_per_s); },
               [](const TopRow& row) { return row.frames_per_s.value_or(-1); }},
    ColumnRule{
        TopColumn::late, "late", Align::right, 75,
        [](const TopRow& row) { return row.arena.epoch == 0 ? "" : duration_text(static_cast<double>(row.arena.late_p99_us)); },
        [](const TopRow& row) { return static_cast<double>(row.arena.late_p99_us); }},
    ColumnRule{TopColumn::lag, "lag", Align::right, 45,
               [](const TopRow& row) { return std::to_string(frames_behind(row.arena)); },
               [](const TopRow& row) { return static_cast<double>(frames_behind(row.arena)); }},
    ColumnRule{TopColumn::load, "cpu", Align::right, 85, [](const TopRow& row) { return share_text(row.load); },
               [](const TopRow& row) { return row.load.value_or(-1); }},
    ColumnRule{TopColumn::memory, "mem", Align::right, 70, [](const TopRow& row) { return bytes_text(row.arena.memory_bytes); },
               [](const TopRow& row) { return static_cast<double>(row.arena.memory_bytes); }},
    ColumnRule{TopColumn::restarts, "restarts", Align::right, 65,
               [](const TopRow& row) { return std::to_string(row.arena.restarts); },
               [](const TopRow& row) { return static_cast<double>(row.arena.restarts); }},
    ColumnRule{TopColumn::events, "events/s", Align::right, 60, [](const TopRow& row) { return rate_text(row.events_per_s); },
               [](const TopRow& row) { return row.events_per_s.value_or(-1); }},
    ColumnRule{TopColumn::players, "players", Align::right, 40,
               [](const TopRow& row) { return std::to_string(row.arena.players); },
               [](const TopRow& row) { return static_cast<double>(row.arena.players); }},
    ColumnRule{TopColumn::pid, "pid", Align::right, 30,
               [](const TopRow& row) { return row.arena.pid == 0 ? "" : std::to_string(row.arena.pid); },
               [](const TopRow& row) { return static_cast<double>(row.arena.pid); }},
};

const ColumnRule& rule_of(TopColumn column) {
  return *std::ranges::find(kColumns, column, &ColumnRule::column);
}

bool matches(const TopArena& arena, const std::string& filter) {
  if (filter.empty() || arena.state == filter) return true;
  return arena.name.find(filter) != std::string::npos || arena.game.find(filter) != std::string::npos;
}

std::string padded(const std::string& text, size_t width, Align align) {
  const std::string padding(width - display_width(text), ' ');
  return align == Align::right ? padding + text : text + padding;
}

TopArena arena_of(wire::ArenaStatus::Reader arena) {
  return {.id = text_of(arena.getId()),
          .name = text_of(arena.getName()),
          .game = text_of(arena.getGame()),
          .state = text_of(arena.getState()),
          .reason = text_of(arena.getReason()),
          .pid = arena.getPid(),
          .epoch = arena.getEpoch(),
          .frame = arena.getFrame(),
          .events = arena.getEvents(),
          .durable_frame = arena.getDurableFrame(),
          .late_p99_us = arena.getLateP99Us(),
          .memory_bytes = arena.getSharedMemoryBytes(),
          .restarts = arena.getRestartsTotal(),
          .players = arena.getPlayers(),
          .cpu_ns = arena.getCpuNs()};
}

}  // namespace

TopLook top_look_of(wire::Status::Reader status, uint64_t at_ns) {
  TopLook look{.at_ns = at_ns, .daemon = render_daemon_line(status.getDaemon()), .arenas = {}};
  if (look.daemon.ends_with('\n')) look.daemon.pop_back();
  for (const auto arena : status.getArenas()) look.arenas.push_back(arena_of(arena));
  return look;
}

std::string_view name_of(TopColumn column) {
  return rule_of(column).name;
}

std::optional<TopColumn> top_column_named(std::string_view name) {
  const auto found = std::ranges::find(kColumns, name, &ColumnRule::name);
  return found == kColumns.end() ? std::nullopt : std::optional(found->column);
}

std::vector<std::string> top_column_names() {
  std::vector<std::string> names;
  for (const ColumnRule& rule : kColumns) names.emplace_back(rule.name);
  return names;
}

std::vector<TopRow> top_rows(const TopLook& now, const TopLook* before) {
  std::map<std::string_view, const TopArena*> earlier;
  if (before != nullptr) {
    for (const TopArena& arena : before->arenas) earlier.emplace(arena.id, &arena);
  }
  std::vector<TopRow> rows;
  for (const TopArena& arena : now.arenas) {
    TopRow row{.arena = arena, .frames_per_s = {}, .events_per_s = {}, .load = {}};
    const auto then = earlier.find(arena.id);
    const bool comparable = then != earlier.end() && then->second->epoch == arena.epoch && now.at_ns > before->at_ns &&
                            arena.frame >= then->second->frame && arena.events >= then->second->events;
    if (comparable) {
      const double seconds = static_cast<double>(now.at_ns - before->at_ns) / kNanosecondsPerSecond;
      row.frames_per_s = static_cast<double>(arena.frame - then->second->frame) / seconds;
      row.events_per_s = static_cast<double>(arena.events - then->second->events) / seconds;
      const uint64_t cpu_then = then->second->cpu_ns;
      if (cpu_then != 0 && arena.cpu_ns >= cpu_then) {
        row.load = static_cast<double>(arena.cpu_ns - cpu_then) / kNanosecondsPerSecond / seconds;
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<TopRow> arranged(std::vector<TopRow> rows, const TopOrder& order) {
  std::erase_if(rows, [&](const TopRow& row) { return !matches(row.arena, order.filter); });
  const ColumnRule& rule = rule_of(order.column);
  const auto comes_first = [&](const TopRow& a, const TopRow& b) {
    if (rule.number != nullptr) return rule.number(a) > rule.number(b);
    return rule.text(a) < rule.text(b);
  };
  std::ranges::sort(rows, std::less{}, [](const TopRow& row) { return row.arena.name; });
  std::ranges::stable_sort(
      rows, [&](const TopRow& a, const TopRow& b) { return order.reversed ? comes_first(b, a) : comes_first(a, b); });
  return rows;
}

TopTable top_table(const std::vector<TopRow>& rows, TopColumn sorted_by, size_t width) {
  struct Shown {
    const ColumnRule* rule;
    std::string heading;
    size_t width;
    std::vector<std::string> cells;
  };
  std::vector<Shown> shown;
  for (const ColumnRule& rule : kColumns) {
    Shown column{&rule, std::string(rule.name), 0, {}};
    std::ranges::transform(column.heading, column.heading.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (rule.column == sorted_by) column.heading += "*";
    column.width = display_width(column.heading);
    for (const TopRow& row : rows) {
      const std::string text = rule.text(row);
      column.cells.push_back(text.empty() ? "-" : text);
      column.width = std::max(column.width, display_width(column.cells.back()));
    }
    shown.push_back(std::move(column));
  }
  const auto total = [&] {
    size_t sum = 0;
    for (const Shown& column : shown) sum += column.width + 2;
    return sum - 2;
  };
  while (width != 0 && shown.size() > 1 && total() > width) {
    shown.erase(std::ranges::min_element(shown, std::less{}, [](const Shown& column) { return column.rule->importance; }));
  }
  TopTable table;
  const auto line_of = [&](const std::function<const std::string&(const Shown&)>& cell) {
    std::string line;
    for (const Shown& column : shown) {
      if (!line.empty()) line += "  ";
      line += padded(cell(column), column.width, column.rule->align);
    }
    return width == 0 ? line : first_columns(line, width);
  };
  table.header = line_of([](const Shown& column) -> const std::string& { return column.heading; });
  for (size_t i = 0; i < rows.size(); ++i) {
    table.lines.push_back(line_of([i](const Shown& column) -> const std::string& { return column.cells[i]; }));
  }
  return table;
}

std::string first_columns(const std::string& text, size_t width) {
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && seen++ == width) break;
  }
  return text.substr(0, end);
}

size_t first_seen(size_t first, size_t selected, size_t rows, size_t height) {
  if (height == 0) return selected;
  if (selected < first) first = selected;
  if (selected >= first + height) first = selected - height + 1;
  return rows <= height ? 0 : std::min(first, rows - height);
}

}  // namespace arenad::cli
