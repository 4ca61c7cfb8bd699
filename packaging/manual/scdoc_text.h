// Text in the notation of scdoc(5), from which scdoc makes manual pages.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace arenad::manual {

// Whatever it says, it stands for itself.
std::string escaped(std::string_view text);
std::string bold(std::string_view text);
std::string underlined(std::string_view text);

// Of a section, or of one within it; scdoc takes nothing in it as its own.
enum class Level { section, subsection };
std::string heading(Level level, std::string_view title);

// What is said of a term, which is marked up already.
std::string definition(const std::string& term, std::string_view text);
// Lines that are kept as they are.
std::string literal(std::string_view lines);

// Text as the help of a program has it: paragraphs, and headings such as "Exit codes:" with indented lines below. Lines of two parts,
// two or more spaces apart, are terms with their definitions; other indented lines are kept as they are. Headings are written by
// `heading_of`, with an empty line behind them.
std::string formatted_help(std::string_view text, const std::function<std::string(std::string_view title)>& heading_of);

}  // namespace arenad::manual
