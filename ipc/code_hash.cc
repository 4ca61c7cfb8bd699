#include "arenad/code_hash.h"

#include <charconv>

namespace arenad {
namespace {

constexpr size_t kHalfDigits = 16;

std::string half_text(uint64_t half) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text(kHalfDigits, '0');
  for (size_t i = kHalfDigits; i-- > 0; half >>= 4) text[i] = kDigits[half & 15];
  return text;
}

bool parse_half(std::string_view text, uint64_t& half) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), half, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string CodeHash::text() const {
  return half_text(high) + half_text(low);
}

std::optional<CodeHash> CodeHash::parse(std::string_view text) {
  CodeHash hash;
  if (text.size() != 2 * kHalfDigits || text[0] == '-' || text[kHalfDigits] == '-') return std::nullopt;
  if (!parse_half(text.substr(0, kHalfDigits), hash.high) || !parse_half(text.substr(kHalfDigits), hash.low))
    return std::nullopt;
  return hash;
}

}  // namespace arenad
