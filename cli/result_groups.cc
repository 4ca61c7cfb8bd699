#include "cli/result_groups.h"

#include <algorithm>
#include <fmt/format.h>

#include "cli/suggestion.h"

namespace arenad::cli {
namespace {

const ResultValue& total_of(const ResultGroup& group, size_t field) {
  static const ResultValue none;
  return field < group.totals.size() ? group.totals[field].value() : none;
}

}  // namespace

bool ResultGroups::Key::operator<(const Key& other) const {
  if (comes_before(value, other.value)) return true;
  return !comes_before(other.value, value) && arena < other.arena;
}

void ResultGroups::add(const ResultRow& row) {
  columns_.add(row);
  const bool by_arena = squeezed(by_) == "arena";
  Key key{by_.empty() ? ResultValue() : value_by_name(row, by_), by_arena ? row.arena : std::string()};
  ResultGroup& group =
      groups_.try_emplace(key, ResultGroup{.key = key.value, .arena = key.arena, .count = 0, .totals = {}}).first->second;
  ++group.count;
  if (row.fields_type == nullptr) return;
  for (size_t i = group.totals.size(); i < columns_.fields().size(); ++i) {
    group.totals.emplace_back(columns_.fields()[i].aggregate);
  }
  const std::vector<size_t>& places = columns_.places(*row.fields_type);
  for (size_t i = 0; i < places.size(); ++i) group.totals[places[i]].add(row.values[i]);
}

Result<std::vector<ResultGroup>> ResultGroups::sorted(const std::string& by) const {
  std::vector<ResultGroup> groups;
  for (const auto& [key, group] : groups_) groups.push_back(group);
  if (by.empty() || groups.empty()) return groups;
  if (squeezed(by) == "count") {
    std::ranges::stable_sort(groups, [](const ResultGroup& a, const ResultGroup& b) { return a.count > b.count; });
    return groups;
  }
  const auto field = columns_.find(by);
  if (!field) {
    std::vector<std::string> names{"count"};
    for (const ResultField& one : columns_.fields()) names.push_back(one.name);
    return make_error(ErrorCode::invalid, fmt::format("--sort: no field is called '{}'{}; there are: {}", by,
                                                      did_you_mean(by, names), fmt::join(names, " ")));
  }
  std::ranges::stable_sort(groups, [&](const ResultGroup& a, const ResultGroup& b) {
    return comes_before(total_of(b, *field), total_of(a, *field));
  });
  return groups;
}

}  // namespace arenad::cli
