#include "supervisor/log_line.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ipc/printable.h"

namespace arenad {
namespace {

constexpr std::string_view kMessage = "msg=\"";

template <class T>
void set_number(std::string_view text, T& number) {
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
}

// False if nobody knows the key.
bool take(LogLine& line, std::string_view key, std::string_view value) {
  if (key == "arena") {
    line.arena = value;
  } else if (key == "game") {
    line.game = value;
  } else if (key == "epoch") {
    set_number(value, line.epoch);
  } else if (key == "frame") {
    set_number(value, line.frame);
  } else if (key == "pid") {
    set_number(value, line.pid);
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
  std::string value;
};

// Behind the last character of a quoted text that begins the rest: its quote, or the end.
size_t end_of_quoted(std::string_view rest) {
  size_t end = 0;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  return std::min(end, rest.size());
}

std::string unquoted(std::string_view quoted) {
  std::string text;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
    text += quoted[i];
  }
  return text;
}

// key=value or key="a value", and a space behind it, which all go.
std::optional<Pair> take_pair(std::string_view& rest) {
  const size_t equals = rest.find_first_of("= ");
  if (equals == 0 || equals == std::string_view::npos || rest[equals] == ' ') return std::nullopt;
  const std::string_view key = rest.substr(0, equals);
  std::string_view behind = rest.substr(equals + 1);
  const bool is_quoted = behind.starts_with('"');
  if (is_quoted) behind.remove_prefix(1);
  const size_t end = is_quoted ? end_of_quoted(behind) : behind.find(' ');
  const size_t space = is_quoted ? end + 1 : end;
  if (space >= behind.size() || behind[space] != ' ') return std::nullopt;
  rest = behind.substr(space + 1);
  const std::string_view value = behind.substr(0, end);
  return Pair{key, is_quoted ? unquoted(value) : std::string(value)};
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

std::string log_quoted(std::string_view text) {
  std::string quoted;
  for (const char c : printable_lines(text)) {
    if (c == '\n') {
      quoted += "; ";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string log_value(std::string_view text) {
  const bool is_bare = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
  return is_bare ? std::string(text) : '"' + log_quoted(text) + '"';
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
  line.text = unquoted(rest.substr(0, end_of_quoted(rest)));
  if (!others.empty()) line.text += " (" + others.substr(1) + ")";
  return line;
}

}  // namespace arenad
