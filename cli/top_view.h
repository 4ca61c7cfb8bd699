// What arenactl top shows, as lines of text: which arenas, in which order, with which columns in which width. Knows no terminal and no
// clock.
//
// Rates come from two looks at the same incarnation; with one look, or after a restart, there is none yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// One arena as it was seen.
struct TopArena {
  std::string id;
  std::string name;
  std::string game;
  std::string state;
  std::string reason;
  uint32_t pid = 0;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  uint64_t events = 0;
  uint64_t durable_frame = 0;
  uint64_t late_p99_us = 0;
  uint64_t memory_bytes = 0;
  uint64_t restarts = 0;
  uint32_t players = 0;
  uint64_t cpu_ns = 0;  // processor time of its worker; 0: it has none, or it is not known
};

struct TopLook {
  uint64_t at_ns = 0;
  std::string daemon;  // the line on arenad
  std::vector<TopArena> arenas;
};
TopLook top_look_of(wire::Status::Reader status, uint64_t at_ns);

enum class TopColumn { arena, game, state, tick_rate, late, lag, load, memory, restarts, events, players, pid };
// For the header and for --sort: "late".
std::string_view name_of(TopColumn column);
std::optional<TopColumn> top_column_named(std::string_view name);
std::vector<std::string> top_column_names();

// One arena with what follows from two looks.
struct TopRow {
  TopArena arena;
  std::optional<double> frames_per_s;
  std::optional<double> events_per_s;
  std::optional<double> load;  // share of a core that its worker takes
};
// before: of some time ago, or nothing.
std::vector<TopRow> top_rows(const TopLook& now, const TopLook* before);

struct TopOrder {
  TopColumn column = TopColumn::load;
  bool reversed = false;
  std::string filter;  // part of a name or game, or a state; empty: all
};
// Numbers with the largest first, texts by the alphabet; the same by name.
std::vector<TopRow> arranged(std::vector<TopRow> rows, const TopOrder& order);

struct TopTable {
  std::string header;
  std::vector<std::string> lines;  // as many as rows
};
// No line is wider than this; 0: as wide as it is. Columns that do not fit are left out, the least important first.
TopTable top_table(const std::vector<TopRow>& rows, TopColumn sorted_by, size_t width);

// The beginning of a text that takes so many columns; by code points.
std::string first_columns(const std::string& text, size_t width);

// Which rows are seen if the selected one is to be, of so many in a screen of this height: the first.
size_t first_seen(size_t first, size_t selected, size_t rows, size_t height);

}  // namespace arenad::cli
