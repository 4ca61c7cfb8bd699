#include "supervisor/log.h"

#include <cstdlib>

#include <spdlog/spdlog.h>

#include "ipc/printable.h"
#include "supervisor/config.h"

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

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void configure_log(const DaemonConfig& config) {
  const bool under_systemd = ::getenv("JOURNAL_STREAM") != nullptr;
  const bool logfmt = config.log_format == LogFormat::logfmt || (config.log_format == LogFormat::automatic && under_systemd);
  spdlog::set_pattern(logfmt ? "%Y-%m-%dT%H:%M:%S.%eZ level=%l pid=%P %v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v",
                      spdlog::pattern_time_type::utc);
  spdlog::set_level(level_of(config.log_level));
}

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
