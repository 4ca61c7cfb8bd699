// Results added up: a group for each value of what they are grouped by, with their count and what their fields come to. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/result_row.h"
#include "cli/result_value.h"

namespace arenad::cli {

struct ResultGroup {
  ResultValue key;
  std::string arena;  // grouped by arena: its id
  uint64_t count = 0;
  std::vector<Total> totals;  // of the fields of ResultGroups::columns(), as far as they reach
};

class ResultGroups {
 public:
  // by: a name as of value_by_name(); empty: all results are one group.
  explicit ResultGroups(std::string by) : by_(std::move(by)) {}

  // Newest first, which is what `last` goes by.
  void add(const ResultRow& row);

  [[nodiscard]] const ResultColumns& columns() const { return columns_; }
  // By key; or by this, the largest first: "count", or the name of a field. Errors: invalid, if there is no such field.
  [[nodiscard]] Result<std::vector<ResultGroup>> sorted(const std::string& by) const;

 private:
  // Arenas by id, as several may be called the same.
  struct Key {
    ResultValue value;
    std::string arena;
    bool operator<(const Key& other) const;
  };

  std::string by_;
  ResultColumns columns_;
  std::map<Key, ResultGroup> groups_;
};

}  // namespace arenad::cli
