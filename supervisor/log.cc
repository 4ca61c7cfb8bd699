#include "supervisor/log.h"

#include <spdlog/spdlog.h>

#include "ipc/printable.h"

namespace arenad {
namespace {

spdlog::level::level_enum level_of(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::debug:
      return spdlog::level::debug;
    case LogSeverity::info:
      return spdlog::level::info;
    case LogSeverity::warning:
      return spdlog::level::warn;
    case LogSeverity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : printable_lines(text)) {
    if (c == '\n') {
      line += "; ";
    } else {
      line += c;
    }
  }
  return line;
}

void log_formatted(LogSeverity severity, fmt::string_view format, fmt::format_args arguments) {
  const auto level = level_of(severity);
  if (!spdlog::should_log(level)) return;
  spdlog::log(level, spdlog::string_view_t(one_line(fmt::vformat(format, arguments))));
}

}  // namespace arenad
