// arenad's log lines: key=value, to standard error. Formatting is type-erased here, so that a call costs little to compile.
#pragma once

#include <fmt/core.h>
#include <string>
#include <string_view>

namespace arenad {

struct DaemonConfig;

// Which lines are written, and how they look, from now on.
void configure_log(const DaemonConfig& config);

enum class LogSeverity { debug, info, warning, error };

// A line is a line, whatever a game, a file name or a database has put into the text.
std::string one_line(std::string_view text);

void log_formatted(LogSeverity severity, fmt::string_view format, fmt::format_args arguments);

template <class... A>
void log_info(fmt::format_string<A...> format, A&&... arguments) {
  log_formatted(LogSeverity::info, format, fmt::make_format_args(arguments...));
}
template <class... A>
void log_warning(fmt::format_string<A...> format, A&&... arguments) {
  log_formatted(LogSeverity::warning, format, fmt::make_format_args(arguments...));
}
template <class... A>
void log_error(fmt::format_string<A...> format, A&&... arguments) {
  log_formatted(LogSeverity::error, format, fmt::make_format_args(arguments...));
}

}  // namespace arenad
