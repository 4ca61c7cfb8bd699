#include "supervisor/log_line.h"

#include <charconv>
#include <optional>

namespace arenad {
namespace {

constexpr std::string_view kMessage = "msg=\"";

template <class T>
void read_number(std::string_view text, T& number) {
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
}

// False if nobody knows the key.
bool take(LogLine& line, std::string_view key, std::string_view value) {
  if (key == "arena") {
    line.arena = value;
  } else if (key == "game") {
    line.game = value;
  } else if (key == "epoch") {
    read_number(value, line.epoch);
  } else if (key == "frame") {
    read_number(value, line.frame);
  } else if (key == "pid") {
    read_number(value, line.pid);
  } else if (key == "source") {
    line.source = value;
  } else if (key == "signature") {
    line.signature = value;
  } else {
    return false;
  }
  return true;
}

struct Pair {
  std::string_view key;
  std::string_view value;
};

// key=value or key="a value", and a space behind it, which all go.
std::optional<Pair> take_pair(std::string_view& rest) {
  const size_t equals = rest.find_first_of("= ");
  if (equals == 0 || equals == std::string_view::npos || rest[equals] == ' ') return std::nullopt;
  const std::string_view key = rest.substr(0, equals);
  const std::string_view behind = rest.substr(equals + 1);
  const bool is_quoted = behind.starts_with('"');
  const size_t end = is_quoted ? behind.find("\" ", 1) : behind.find(' ');
  if (end == std::string_view::npos) return std::nullopt;
  rest = behind.substr(end + (is_quoted ? 2 : 1));
  return Pair{key, is_quoted ? behind.substr(1, end - 1) : behind.substr(0, end)};
}

LogLine as_text(std::string_view written) {
  LogLine line;
  line.text = written;
  return line;
}

}  // namespace

const char* to_string(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::debug:
      return "debug";
    case LogSeverity::info:
      return "info";
    case LogSeverity::warning:
      return "warning";
    case LogSeverity::error:
      return "error";
  }
  return "?";
}

LogLine parse_log_line(std::string_view written) {
  LogLine line;
  std::string others;
  std::string_view rest = written;
  while (!rest.starts_with(kMessage)) {
    const auto pair = take_pair(rest);
    if (!pair) return as_text(written);
    if (!take(line, pair->key, pair->value)) others.append(" ").append(pair->key).append("=").append(pair->value);
  }
  rest.remove_prefix(kMessage.size());
  if (rest.ends_with('"')) rest.remove_suffix(1);
  line.text = rest;
  if (!others.empty()) line.text += " (" + others.substr(1) + ")";
  return line;
}

}  // namespace arenad
