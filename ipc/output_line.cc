#include "ipc/output_line.h"

#include <charconv>

namespace arenad {
namespace {

// A number with a space behind it, which both go.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return number;
}

}  // namespace

std::string write_output_line(const OutputLine& line) {
  std::string written = "<" + std::to_string(line.priority) + ">";
  if (line.unix_ns && line.frame) written += "@" + std::to_string(*line.unix_ns) + " " + std::to_string(*line.frame) + " ";
  return written.append(line.text) + "\n";
}

OutputLine parse_output_line(std::string_view line) {
  OutputLine parsed{.priority = 6, .unix_ns = std::nullopt, .frame = std::nullopt, .text = line};
  const bool has_priority = line.size() >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>';
  if (!has_priority) return parsed;
  parsed.priority = line[1] - '0';
  parsed.text.remove_prefix(3);
  std::string_view rest = parsed.text;
  if (!rest.starts_with('@')) return parsed;
  rest.remove_prefix(1);
  const auto unix_ns = take_number(rest);
  const auto frame = unix_ns ? take_number(rest) : std::nullopt;
  if (!frame) return parsed;
  return {parsed.priority, unix_ns, frame, rest};
}

}  // namespace arenad
