#include "cli/result_row.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace arenad::cli {

std::string squeezed(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c != '-' && c != '_') letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters;
}

ResultValue value_by_name(const ResultRow& row, std::string_view name) {
  const std::string wanted = squeezed(name);
  if (wanted == "arena") return row.arena_name.empty() ? row.arena : row.arena_name;
  if (wanted == "seat") return Integer{row.seat};
  if (wanted == "player") return row.player;
  if (wanted == "version") return row.version;
  if (wanted == "sequence") return Integer{row.sequence};
  if (wanted == "type") return row.fields_type != nullptr ? row.fields_type->name : fmt::format("{:#018x}", row.type);
  if (row.fields_type == nullptr) return {};
  const auto& fields = row.fields_type->fields;
  const auto found = std::ranges::find(fields, wanted, [](const ResultField& field) { return squeezed(field.name); });
  return found == fields.end() ? ResultValue() : row.values[static_cast<size_t>(found - fields.begin())];
}

void ResultColumns::add(const ResultRow& row) {
  if (row.fields_type == nullptr || std::ranges::find(known_, row.fields_type, &Known::type) != known_.end()) return;
  is_mixed_ = is_mixed_ || (!known_.empty() && known_.front().type->name != row.fields_type->name);
  Known known{.type = row.fields_type, .places = {}};
  for (const ResultField& field : row.fields_type->fields) {
    const auto found = std::ranges::find(fields_, field.name, &ResultField::name);
    known.places.push_back(static_cast<size_t>(found - fields_.begin()));
    if (found == fields_.end()) fields_.push_back(field);
  }
  known_.push_back(std::move(known));
}

const std::vector<size_t>& ResultColumns::places(const ResultType& type) const {
  const auto found = std::ranges::find(known_, &type, &Known::type);
  ARENAD_ASSERT(found != known_.end());
  return found->places;
}

std::vector<ResultValue> ResultColumns::values(const ResultRow& row) const {
  std::vector<ResultValue> values(fields_.size());
  if (row.fields_type == nullptr) return values;
  const std::vector<size_t>& to = places(*row.fields_type);
  for (size_t i = 0; i < to.size(); ++i) values[to[i]] = row.values[i];
  return values;
}

std::optional<size_t> ResultColumns::find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, squeezed(name), [](const ResultField& field) { return squeezed(field.name); });
  return found == fields_.end() ? std::nullopt : std::optional(static_cast<size_t>(found - fields_.begin()));
}

}  // namespace arenad::cli
