// Results, one by one or in groups, as tables and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/result_groups.h"
#include "cli/result_row.h"
#include "cli/table.h"

namespace arenad::cli {

// What was asked for.
struct ResultQuestion {
  std::string arena;  // as it was given; empty: of all
  std::string game;   // empty: none was named
  std::string by;     // groups only; empty: all results are one
};

struct ResultAnswer {
  uint64_t looked_at = 0;
  bool cut_off = false;
};

// With every column: what arenad knows, then the fields.
Table result_table(const std::vector<ResultRow>& rows, const ResultColumns& columns);
// Which of them are shown if none are chosen. What is the same in all rows or not known is left out.
std::vector<size_t> usual_result_columns(const std::vector<ResultRow>& rows, const ResultColumns& columns,
                                         const ResultQuestion& question);
// {"arena" or "game", "results": [{"sequence", "seat", "type", "message_hex", "type_name", "fields", "fields_error", "player", "arena", "name",
// "game", "version", "recorded_unix_ms"}], "looked_at", "cut_off"}
std::string results_json(const std::vector<ResultRow>& rows, const ResultQuestion& question, const ResultAnswer& answer);

// What they are grouped by, COUNT, and the fields that add up.
Table result_group_table(const std::vector<ResultGroup>& groups, const ResultColumns& columns, const ResultQuestion& question);
// {"arena" or "game", "by", "aggregates": {field: "sum"}, "groups": [{"key", "arena", "count", "fields"}], "looked_at", "cut_off"}
std::string result_groups_json(const std::vector<ResultGroup>& groups, const ResultColumns& columns,
                               const ResultQuestion& question, const ResultAnswer& answer);

}  // namespace arenad::cli
