// Text from games and players on an operator's terminal.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace arenad::cli {

// What cannot do anything to a terminal or break a line: control characters, and bytes that are not
// UTF-8, become \xNN, a backslash becomes \\. Everything else stays as it is.
std::string printable(std::string_view text);

// For text of several lines in which backslashes are escapes already: as printable(), but line ends and backslashes stay.
std::string printable_lines(std::string_view text);

// Columns that printable text takes, at one for each code point. Wide and combining characters are
// counted wrongly, which only spoils the alignment of their own row.
size_t display_width(std::string_view text);

std::string hex_text(std::span<const unsigned char> bytes);

}  // namespace arenad::cli
