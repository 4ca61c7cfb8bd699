#include "cli/result_condition.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace arenad::cli {
namespace {

std::optional<bool> parse_flag(const std::string& text) {
  if (text == "true" || text == "yes" || text == "1") return true;
  if (text == "false" || text == "no" || text == "0") return false;
  return std::nullopt;
}

template <class Number>
std::optional<Number> parse_whole(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

std::optional<ResultValue> parse_number(const std::string& text) {
  if (const auto number = parse_whole<int64_t>(text)) return Integer{*number};
  if (const auto number = parse_whole<uint64_t>(text)) return Integer{*number};
  if (const auto number = parse_whole<double>(text)) return *number;
  return std::nullopt;
}

}  // namespace

Result<ResultCondition> ResultCondition::parse(const std::string& text) {
  const size_t at = text.find_first_of("=<>!");
  const auto malformed = [&] {
    return make_error(ErrorCode::invalid, "--where: '" + text + "' is no condition such as kills>=3 or player=anna");
  };
  if (at == 0 || at == std::string::npos) return malformed();
  const bool has_equals = at + 1 < text.size() && text[at + 1] == '=';
  ResultCondition condition;
  condition.name_ = text.substr(0, at);
  condition.value_ = text.substr(at + (has_equals ? 2 : 1));
  switch (text[at]) {
    case '=':
      condition.comparison_ = Comparison::equal;
      return condition;
    case '<':
      condition.comparison_ = has_equals ? Comparison::at_most : Comparison::less;
      return condition;
    case '>':
      condition.comparison_ = has_equals ? Comparison::at_least : Comparison::more;
      return condition;
    default:
      if (!has_equals) return malformed();
      condition.comparison_ = Comparison::unequal;
      return condition;
  }
}

bool ResultCondition::holds(int sign) const {
  switch (comparison_) {
    case Comparison::equal:
      return sign == 0;
    case Comparison::unequal:
      return sign != 0;
    case Comparison::less:
      return sign < 0;
    case Comparison::at_most:
      return sign <= 0;
    case Comparison::more:
      return sign > 0;
    case Comparison::at_least:
      return sign >= 0;
  }
  return false;
}

Error ResultCondition::is_no(const std::string& kind) const {
  return make_error(ErrorCode::invalid, fmt::format("--where: {} is {}, and '{}' is not", name_, kind, value_));
}

// Only one that has a place in the order is compared in it, and only with the names that the types know: by the number.
Result<bool> ResultCondition::is_met_by_enum(const EnumValue& value) const {
  if (comparison_ == Comparison::equal) return value.name == value_;
  if (comparison_ == Comparison::unequal) return value.name != value_;
  const auto number = parse_whole<uint16_t>(value_);
  if (!number) return is_no("an enumeration, which is compared in order by the number of its value");
  return holds(*compare(value, EnumValue{*number, ""}));
}

Result<bool> ResultCondition::is_met_by(const ResultRow& row) const {
  const ResultValue value = value_by_name(row, name_);
  if (is_none(value)) return false;
  if (const auto* one = std::get_if<EnumValue>(&value)) return is_met_by_enum(*one);
  if (const auto* text = std::get_if<std::string>(&value)) return holds(text->compare(value_));
  if (const auto* composite = std::get_if<CompositeValue>(&value)) return holds(composite->json.compare(value_));
  if (std::holds_alternative<bool>(value)) {
    const auto flag = parse_flag(value_);
    if (!flag) return is_no("true or false");
    return holds(*compare(value, *flag));
  }
  const auto number = parse_number(value_);
  if (!number) return is_no("a number");
  return holds(*compare(value, *number));
}

}  // namespace arenad::cli
