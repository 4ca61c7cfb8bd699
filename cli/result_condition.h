// A condition on results, as --where takes it: NAME=VALUE, and the same with !=, <, <=, > and >=. Pure.
//
// What the value is depends on what it is compared with: a number, true or false, a text, the name of an enumeration's value. A result that does
// not have what is named meets no condition on it.
#pragma once

#include <string>

#include "arenad/result.h"
#include "cli/result_row.h"

namespace arenad::cli {

class ResultCondition {
 public:
  // Errors: invalid, if there is no comparison in it.
  static Result<ResultCondition> parse(const std::string& text);

  // Errors: invalid, if the value is of another kind than what the result has.
  [[nodiscard]] Result<bool> is_met_by(const ResultRow& row) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  enum class Comparison { equal, unequal, less, at_most, more, at_least };

  [[nodiscard]] bool holds(int sign) const;
  [[nodiscard]] Result<bool> is_met_by_enum(const EnumValue& value) const;
  [[nodiscard]] Error is_no(const std::string& kind) const;

  std::string name_;
  Comparison comparison_ = Comparison::equal;
  std::string value_;
};

}  // namespace arenad::cli
