#include "ipc/printable.h"

#include <algorithm>
#include <cstdint>

namespace arenad {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The well-formed sequences of RFC 3629: no surrogates, nothing longer than it must be.
CodePoint code_point_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  uint32_t value = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return {};
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

// C0, DEL and C1, line and paragraph separators, and what turns the direction of writing around.
bool acts_on_terminal(uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0)) return true;
  if (code_point >= 0x2028 && code_point <= 0x202E) return true;
  return code_point == 0x200E || code_point == 0x200F || (code_point >= 0x2066 && code_point <= 0x2069);
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

enum class Kind { one_line, escaped_lines };

std::string made_printable(std::string_view text, Kind kind) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = code_point_at(text);
    const size_t count = std::max<size_t>(next.bytes, 1);
    const std::string_view bytes = text.substr(0, count);
    text.remove_prefix(count);
    const bool stays = kind == Kind::escaped_lines && (next.value == '\n' || next.value == '\\');
    if (!stays && (next.bytes == 0 || acts_on_terminal(next.value))) {
      append_escaped(out, bytes);
    } else if (!stays && next.value == '\\') {
      out += "\\\\";
    } else {
      out += bytes;
    }
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return made_printable(text, Kind::one_line);
}

std::string printable_lines(std::string_view text) {
  return made_printable(text, Kind::escaped_lines);
}

}  // namespace arenad
