// One value of a result, and how values of several results become one. Pure.
//
//   aggregate   of numbers             of a Bool               of texts              of enumerations
//   sum         their sum              how often it was true   none                  none
//   max         the largest            true if any was         the last in order     the one that is declared last
//   last        the one that came first to Total::add(), which is given the newest first; of every kind of value
//   any         whether any was not zero, true, not empty, not the first that is declared
//   skip        none; so it is of lists and structs, whatever they declare but last
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace arenad::cli {

// As in worker/schema/arenad/results.capnp.
enum class Aggregate : uint16_t { skip, sum, max, last, any };
const char* to_string(Aggregate aggregate);

using Integer = __int128;  // all that fields can hold, and sums of them

struct EnumValue {
  uint16_t number = 0;
  std::string name;  // of one that the types do not know: its number
  bool operator==(const EnumValue&) const = default;
};

// A list, a struct, bytes: as JSON.
struct CompositeValue {
  std::string json;
  bool operator==(const CompositeValue&) const = default;
};

// monostate: there is none, as of a member of a union that is not the one.
using ResultValue = std::variant<std::monostate, bool, Integer, double, std::string, EnumValue, CompositeValue>;

[[nodiscard]] bool is_none(const ResultValue& value);
[[nodiscard]] bool is_number(const ResultValue& value);
// As it came, and may hold any byte that a player has sent; empty if there is none.
std::string value_text(const ResultValue& value);
// Less than, equal to or more than 0; nothing if they are of kinds that are not compared. Whole numbers, fractions and Bools are of one kind.
std::optional<int> compare(const ResultValue& a, const ResultValue& b);
// A total order over all values, for groups: by kind, then as they compare.
bool comes_before(const ResultValue& a, const ResultValue& b);

class Total {
 public:
  explicit Total(Aggregate aggregate = Aggregate::skip) : aggregate_(aggregate) {}
  void add(const ResultValue& value);
  [[nodiscard]] const ResultValue& value() const { return value_; }

 private:
  void add_to_sum(const ResultValue& value);

  Aggregate aggregate_;
  ResultValue value_;
};

}  // namespace arenad::cli
