// Which code: the XXH3 (github.com/Cyan4973/xxHash) of a file's content, 128 bits. Two files of one content are one version, whatever
// they are called; it tells versions apart, and is no defence against whoever forges one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arenad {

struct CodeHash {
  uint64_t high = 0;
  uint64_t low = 0;

  // 32 hexadecimal digits.
  [[nodiscard]] std::string text() const;
  static std::optional<CodeHash> parse(std::string_view text);
  [[nodiscard]] bool is_null() const { return high == 0 && low == 0; }
  auto operator<=>(const CodeHash&) const = default;
};

}  // namespace arenad
