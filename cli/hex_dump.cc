#include "cli/hex_dump.h"

#include <algorithm>
#include <fmt/format.h>

namespace arenad::cli {
namespace {

constexpr size_t kBytesInLine = 16;

std::string line_of(size_t offset, std::span<const unsigned char> bytes) {
  std::string hex;
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 2 == 0) hex += ' ';
    hex += fmt::format("{:02x}", bytes[i]);
    text += bytes[i] >= 0x20 && bytes[i] < 0x7F ? static_cast<char>(bytes[i]) : '.';
  }
  return fmt::format("{:08x}:{:<40}  {}\n", offset, hex, text);
}

}  // namespace

std::string hex_dump(std::span<const unsigned char> bytes) {
  std::string out;
  for (size_t offset = 0; offset < bytes.size(); offset += kBytesInLine) {
    out += line_of(offset, bytes.subspan(offset, std::min(kBytesInLine, bytes.size() - offset)));
  }
  return out;
}

std::string hex_text(std::span<const unsigned char> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace arenad::cli
