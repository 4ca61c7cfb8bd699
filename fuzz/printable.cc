// Text of games and players for a terminal (ipc/printable.h).
#include "ipc/printable.h"

#include <charconv>

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

// The way back, as the header says it.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.starts_with("\\\\")) {
      plain += '\\';
      text.remove_prefix(2);
    } else if (text.starts_with("\\x")) {
      ARENAD_ASSERT(text.size() >= 4);
      unsigned byte = 0;
      const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 4, byte, 16);
      ARENAD_ASSERT(error == std::errc() && end == text.data() + 4);
      plain += static_cast<char>(byte);
      text.remove_prefix(4);
    } else {
      ARENAD_ASSERT(text[0] != '\\');
      plain += text[0];
      text.remove_prefix(1);
    }
  }
  return plain;
}

void run(std::string_view input) {
  const std::string shown = printable(input);
  ARENAD_ASSERT(std::all_of(shown.begin(), shown.end(), [](unsigned char c) { return c >= ' ' && c != 0x7F; }));
  // C1, and what turns the direction of writing around.
  for (const char* acting : {"\xC2\x80", "\xC2\x9B", "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8F"}) {
    ARENAD_ASSERT(shown.find(acting) == std::string::npos);
  }
  ARENAD_ASSERT(unescaped(shown) == input);
  const std::string lines = printable_lines(input);
  ARENAD_ASSERT(std::all_of(lines.begin(), lines.end(), [](unsigned char c) { return c == '\n' || (c >= ' ' && c != 0x7F); }));
  ARENAD_ASSERT(std::count(lines.begin(), lines.end(), '\n') == std::count(input.begin(), input.end(), '\n'));
  ARENAD_ASSERT(printable_lines(lines) == lines);
}

std::vector<std::string> seeds() {
  return {"plain \\ text\n", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\x1b[31mred\xC2\x9B", "\xE2\x80\xAE turned",
          "\xED\xA0\x80\xF4\x90\x80\x80\xC0\x80"};
}

}  // namespace

extern const Harness printable_harness;
const Harness printable_harness{
    run, seeds, {"\\x", "\\\\", "\xE2\x80\xAE", "\xC2\x9B", "\xF0\x9F\x98\x80", "\xED\xA0\x80"}, 128};

}  // namespace arenad::fuzz
