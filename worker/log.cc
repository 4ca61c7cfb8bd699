#include "worker/log.h"

#include <array>
#include <string>
#include <time.h>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/output_file.h"
#include "ipc/output_line.h"
#include "ipc/printable.h"

namespace arenad {
namespace {

constexpr std::array<const char*, 4> kLevels = {"debug", "info", "warning", "error"};

std::string utc_now() {
  const uint64_t now = unix_ns();
  const auto seconds = static_cast<time_t>(now / kSecond);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const size_t length = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03uZ", static_cast<unsigned>(now / kMillisecond % 1000));
  return text;
}

// arenad knows whose lines these are.
void log_for_arenad(arenad_log_level level, uint64_t frame, std::string_view message) {
  constexpr std::array kPriorities = {7, 6, 4, 3};
  std::string text;
  for (const char c : message) text += c == '\n' ? ' ' : c;
  const std::string line = write_output_line({kPriorities.at(static_cast<size_t>(level) & 3), unix_ns(), frame, text});
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void log_line(arenad_log_level level, std::string_view arena, uint64_t frame, std::string_view message) {
  if (is_output_file(STDERR_FILENO)) return log_for_arenad(level, frame, message);
  std::string line = utc_now() + " level=" + kLevels.at(static_cast<size_t>(level) & 3) + " pid=" + std::to_string(::getpid());
  if (!arena.empty()) line.append(" arena=").append(arena).append(" frame=").append(std::to_string(frame));
  line.append(" msg=\"");
  for (const char c : printable_lines(message)) {
    if (c == '"' || c == '\\') line += '\\';
    line += c == '\n' ? ' ' : c;
  }
  line += "\"\n";
  // One write is one line also when several processes share the stream; a full pipe loses it rather than holding up a frame.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace arenad
