// arenad's log lines: key=value, to systemd's journal with fields where it reads standard error, else to standard error. Formatting is
// type-erased here, so that a call costs little to compile. No call waits for whoever takes the lines (log_writer.h); the last ones are kept in
// memory (log_book.h).
#pragma once

#include <cstdint>
#include <fmt/core.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "supervisor/log_line.h"

namespace arenad {

struct Config;
class LogBook;

// The log of this process, while it lives. One.
class Log {
 public:
  explicit Log(const Config& config);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  // What was logged is written, if it can be in a second.
  ~Log();

  [[nodiscard]] LogBook& book() { return *book_; }

 private:
  std::unique_ptr<LogBook> book_;
};

// Which lines are written, and how they look, from now on.
void configure_log(const Config& config);
// What was logged is written, or a moment has passed: before another program takes the place of this one.
void flush_log();

// A line is a line, whatever a game, a file name or a database has put into the text.
std::string one_line(std::string_view text);

// A line as it is, of which every value was escaped (log_line.h): one that somebody else has written, at a time of his.
void log_written(LogSeverity severity, std::optional<uint64_t> unix_ns, std::string_view line);

// Texts among the arguments come from games, players, files and databases: they are escaped, and so they stand between quotes, but for names,
// which need no escape.
template <class T>
decltype(auto) log_argument(const T& argument) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return log_quoted(argument);
  } else {
    return (argument);
  }
}

void log_formatted(LogSeverity severity, fmt::string_view format, fmt::format_args arguments);

// Named: they are referred to.
template <class... A>
void log_escaped(LogSeverity severity, fmt::string_view format, const A&... arguments) {
  log_formatted(severity, format, fmt::make_format_args(arguments...));
}

template <class... A>
void log_info(fmt::format_string<A...> format, A&&... arguments) {
  log_escaped(LogSeverity::info, format, log_argument(arguments)...);
}
template <class... A>
void log_warning(fmt::format_string<A...> format, A&&... arguments) {
  log_escaped(LogSeverity::warning, format, log_argument(arguments)...);
}
template <class... A>
void log_error(fmt::format_string<A...> format, A&&... arguments) {
  log_escaped(LogSeverity::error, format, log_argument(arguments)...);
}

}  // namespace arenad
