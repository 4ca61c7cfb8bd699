// One line of the log, taken apart: what it is about, and what it says. Pure.
//
// A line is written as key=value, msg="..." last: arena=duel epoch=3 pid=4711 msg="its worker has died". The message may have quotes in it,
// as everything up to the last one is its text.
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

// Of what is no such line, all is text.
LogLine parse_log_line(std::string_view written);

}  // namespace arenad
