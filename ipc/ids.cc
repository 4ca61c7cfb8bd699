#include "arenad/ids.h"

namespace arenad {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kTextLength = 26;

int digit_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

ArenaId ArenaId::make(uint64_t unix_ms, uint64_t random_high, uint64_t random_low) {
  return {unix_ms << 16 | (random_high & 0xFFFF), random_low};
}

std::string ArenaId::text() const {
  std::string out(kTextLength, '0');
  uint64_t h = high;
  uint64_t l = low;
  for (size_t i = kTextLength; i-- > 0;) {
    out[i] = kAlphabet[l & 31];
    l = l >> 5 | h << 59;
    h >>= 5;
  }
  return out;
}

std::optional<ArenaId> ArenaId::parse(std::string_view text) {
  // 26 digits of 5 bits are 130 bits, so the first digit is at most 7.
  if (text.size() != kTextLength || digit_of(text[0]) > 7) return std::nullopt;
  ArenaId id;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    id.high = id.high << 5 | id.low >> 59;
    id.low = id.low << 5 | static_cast<uint64_t>(digit);
  }
  return id;
}

}  // namespace arenad
