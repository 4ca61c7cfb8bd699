// Text from games and players on an operator's terminal, and in logs that are read on one.
#pragma once

#include <string>
#include <string_view>

namespace arenad {

// What cannot do anything to a terminal or break a line: control characters, and bytes that are not
// UTF-8, become \xNN, a backslash becomes \\. Everything else stays as it is.
std::string printable(std::string_view text);

// For text of several lines in which backslashes are escapes already: as printable(), but line ends and backslashes stay.
std::string printable_lines(std::string_view text);

}  // namespace arenad
