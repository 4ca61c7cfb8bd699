// A result as it is shown: what arenad knows of it, and its fields if they can be told. Pure.
//
// Results of several versions, and of several types, come together: their columns are those of the newest one, and behind them what others have
// beside. What a result does not have is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/result_reader.h"

namespace arenad::cli {

struct ResultRow {
  uint64_t sequence = 0;
  uint32_t seat = 0;
  uint64_t type = 0;
  std::string message;     // its bytes
  std::string arena;       // the id
  std::string arena_name;  // empty: not known, as whatever else is empty here
  std::string player;
  std::string game;
  std::string version;
  int64_t recorded_unix_ms = 0;
  const ResultType* fields_type = nullptr;  // nullptr: its fields cannot be told
  std::vector<ResultValue> values;          // of these fields
  std::string why_unread;                   // why they cannot
};

// "damageDealt", "damage-dealt" and "damage_dealt" are one name, as people type them.
std::string squeezed(std::string_view name);

// What can be said of a row by name: arena, seat, player, version, type, sequence; a field of the result by its own name.
inline constexpr const char* kRowNames[] = {"arena", "seat", "player", "version", "type", "sequence"};
// None if the row does not have it.
ResultValue value_by_name(const ResultRow& row, std::string_view name);

// The fields of all rows that were added, each name once, in the order of the first row that has it and as that one declares it.
class ResultColumns {
 public:
  void add(const ResultRow& row);
  [[nodiscard]] const std::vector<ResultField>& fields() const { return fields_; }
  // Where each field of this type is among them; the type was added.
  [[nodiscard]] const std::vector<size_t>& places(const ResultType& type) const;
  // The values of a row in the order of fields(); none where it has no such field.
  [[nodiscard]] std::vector<ResultValue> values(const ResultRow& row) const;
  // As the fields, by whatever spelling; nothing: no result has a field of this name.
  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;
  // Of more than one type.
  [[nodiscard]] bool is_mixed() const { return is_mixed_; }

 private:
  struct Known {
    const ResultType* type;
    std::vector<size_t> places;
  };
  std::vector<ResultField> fields_;
  std::vector<Known> known_;  // few: the versions of a few types
  bool is_mixed_ = false;
};

}  // namespace arenad::cli
