#include "packaging/manual/scdoc_text.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace arenad::manual {
namespace {

constexpr std::string_view kIndent = "  ";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool is_indented(const std::string& line) {
  return line.starts_with(kIndent);
}

// "term  text", without the indent. npos if it is no such line.
size_t end_of_term(const std::string& line) {
  const size_t start = line.find_first_not_of(' ');
  return start == std::string::npos ? start : line.find(kIndent, start);
}

bool is_heading(const std::vector<std::string>& lines, size_t at) {
  return lines[at].ends_with(':') && at + 1 < lines.size() && is_indented(lines[at + 1]);
}

// Indented lines from `at` on; moves it behind them.
std::string formatted_block(const std::vector<std::string>& lines, size_t& at, bool as_it_is) {
  std::vector<std::string> block;
  while (at < lines.size() && is_indented(lines[at])) block.push_back(lines[at++].substr(kIndent.size()));
  const bool are_terms =
      !as_it_is && std::ranges::all_of(block, [](const std::string& line) { return end_of_term(line) != std::string::npos; });
  std::string text;
  for (const std::string& line : block) {
    if (!are_terms) {
      text += line + "\n";
      continue;
    }
    const size_t end = end_of_term(line);
    text += definition(bold(line.substr(0, end)), line.substr(line.find_first_not_of(' ', end)));
  }
  return are_terms ? text : literal(text);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\*_#|[]:.-`~<>+").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string bold(std::string_view text) {
  return "*" + escaped(text) + "*";
}

std::string underlined(std::string_view text) {
  return "_" + escaped(text) + "_";
}

std::string heading(Level level, std::string_view title) {
  std::string text(level == Level::section ? "# " : "## ");
  for (const char c : title) text += c == '-' ? "\\-" : std::string(1, c);  // for roff, a minus and not a hyphen
  return text + "\n\n";
}

std::string definition(const std::string& term, std::string_view text) {
  return term + "\n\t" + escaped(text) + "\n\n";
}

std::string literal(std::string_view lines) {
  return "```\n" + std::string(lines) + "```\n\n";
}

std::string formatted_help(std::string_view help, const std::function<std::string(std::string_view title)>& heading_of) {
  const auto lines = lines_of(help);
  std::string text;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) text += escaped(paragraph) + "\n\n";
    paragraph.clear();
  };
  for (size_t at = 0; at < lines.size();) {
    if (is_heading(lines, at)) {
      end_paragraph();
      const std::string title = lines[at].substr(0, lines[at].size() - 1);
      text += heading_of(title);
      ++at;
      text += formatted_block(lines, at, title == "Examples" || title == "Columns");
    } else if (is_indented(lines[at])) {
      end_paragraph();
      text += formatted_block(lines, at, false);
    } else if (lines[at].empty()) {
      end_paragraph();
      ++at;
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + lines[at++];
    }
  }
  end_paragraph();
  return text;
}

}  // namespace arenad::manual
