#include "cli/result_value.h"

#include <cmath>
#include <fmt/format.h>

namespace arenad::cli {
namespace {

template <class... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};
template <class... Calls>
Overloaded(Calls...) -> Overloaded<Calls...>;

std::optional<Integer> whole_number(const ResultValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (const auto* number = std::get_if<Integer>(&value)) return *number;
  return std::nullopt;
}

std::optional<double> fraction(const ResultValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto whole = whole_number(value)) return static_cast<double>(*whole);
  return std::nullopt;
}

template <class T>
int sign_of(const T& a, const T& b) {
  if (a < b) return -1;
  return b < a ? 1 : 0;
}

// What is no number comes before all numbers, so that there is an order.
int sign_of_fractions(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return sign_of(!std::isnan(a), !std::isnan(b));
  return sign_of(a, b);
}

// Kinds that are compared with one another are one kind.
int kind_of(const ResultValue& value) {
  return is_number(value) || std::holds_alternative<bool>(value) ? 1 : static_cast<int>(value.index());
}

bool is_something(const ResultValue& value) {
  return std::visit(
      Overloaded{[](std::monostate) { return false; }, [](bool flag) { return flag; },
                 [](Integer number) { return number != 0; }, [](double number) { return number != 0; },
                 [](const std::string& text) { return !text.empty(); }, [](const EnumValue& one) { return one.number != 0; },
                 [](const CompositeValue&) { return false; }},
      value);
}

}  // namespace

const char* to_string(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::skip:
      return "skip";
    case Aggregate::sum:
      return "sum";
    case Aggregate::max:
      return "max";
    case Aggregate::last:
      return "last";
    case Aggregate::any:
      return "any";
  }
  return "?";
}

bool is_none(const ResultValue& value) {
  return std::holds_alternative<std::monostate>(value);
}

bool is_number(const ResultValue& value) {
  return std::holds_alternative<Integer>(value) || std::holds_alternative<double>(value);
}

std::string value_text(const ResultValue& value) {
  return std::visit(
      Overloaded{[](std::monostate) { return std::string(); }, [](bool flag) { return std::string(flag ? "true" : "false"); },
                 [](Integer number) { return fmt::format("{}", number); },
                 [](double number) { return fmt::format("{}", number); }, [](const std::string& text) { return text; },
                 [](const EnumValue& one) { return one.name; }, [](const CompositeValue& composite) { return composite.json; }},
      value);
}

std::optional<int> compare(const ResultValue& a, const ResultValue& b) {
  const auto whole_a = whole_number(a);
  const auto whole_b = whole_number(b);
  if (whole_a && whole_b) return sign_of(*whole_a, *whole_b);
  const auto fraction_a = fraction(a);
  const auto fraction_b = fraction(b);
  if (fraction_a && fraction_b) return sign_of_fractions(*fraction_a, *fraction_b);
  if (const auto* text_a = std::get_if<std::string>(&a), *text_b = std::get_if<std::string>(&b);
      text_a != nullptr && text_b != nullptr) {
    return sign_of(*text_a, *text_b);
  }
  if (const auto* enum_a = std::get_if<EnumValue>(&a), *enum_b = std::get_if<EnumValue>(&b);
      enum_a != nullptr && enum_b != nullptr) {
    return sign_of(enum_a->number, enum_b->number);
  }
  return std::nullopt;
}

bool comes_before(const ResultValue& a, const ResultValue& b) {
  if (kind_of(a) != kind_of(b)) return kind_of(a) < kind_of(b);
  if (const auto sign = compare(a, b)) return *sign < 0;
  return value_text(a) < value_text(b);
}

void Total::add(const ResultValue& value) {
  if (is_none(value)) return;
  switch (aggregate_) {
    case Aggregate::skip:
      return;
    case Aggregate::sum:
      return add_to_sum(value);
    case Aggregate::max:
      if (is_none(value_) ? compare(value, value).has_value() : compare(value_, value).value_or(0) < 0) value_ = value;
      return;
    case Aggregate::last:
      if (is_none(value_)) value_ = value;
      return;
    case Aggregate::any:
      if (std::holds_alternative<CompositeValue>(value)) return;
      value_ = (!is_none(value_) && std::get<bool>(value_)) || is_something(value);
      return;
  }
}

void Total::add_to_sum(const ResultValue& value) {
  const auto whole = whole_number(value);
  const auto number = fraction(value);
  if (!number) return;
  if (is_none(value_)) value_ = Integer{0};
  if (whole && std::holds_alternative<Integer>(value_)) {
    value_ = std::get<Integer>(value_) + *whole;
  } else {
    value_ = *fraction(value_) + *number;
  }
}

}  // namespace arenad::cli
