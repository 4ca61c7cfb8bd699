// One line of the log, taken apart: what it is about, and what it says. Pure.
//
// A line is written as logfmt, key=value, msg="..." last: arena=duel epoch=3 pid=4711 msg="its worker has died: \"bad\"". In quotes a quote and
// a backslash have a backslash before them, and nothing else has: whatever a game, a player or a file name puts into a text stays in its
// quotes, and cannot look like another field to anybody who reads the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace arenad {

enum class LogSeverity { debug, info, warning, error };

const char* to_string(LogSeverity severity);

struct LogLine {
  uint64_t unix_ns = 0;
  LogSeverity severity = LogSeverity::info;
  std::string arena;  // its name; empty: of none
  std::string game;
  uint64_t epoch = 0;  // 0: not known
  uint64_t frame = 0;
  uint32_t pid = 0;       // of the worker or template that it is about
  std::string source;     // worker, template: it has written this itself; empty: arenad has
  std::string signature;  // of a crash
  std::string text;       // with what other keys there are
  bool operator==(const LogLine&) const = default;
};

// For between quotes, in one line: what could do anything to a terminal is made printable (ipc/printable.h), line ends become "; ", and then
// quotes and backslashes are escaped.
std::string log_quoted(std::string_view text);
// A value as it stands behind its key: in quotes if it has to.
std::string log_value(std::string_view text);

// Takes the escapes away again. Of what is no such line, all is text.
LogLine parse_log_line(std::string_view written);

}  // namespace arenad
