#include "supervisor/journal_entry.h"

#include <string_view>

namespace arenad {
namespace {

const char* priority_of(LogSeverity severity) {  // syslog(3)
  switch (severity) {
    case LogSeverity::debug:
      return "7";
    case LogSeverity::info:
      return "6";
    case LogSeverity::warning:
      return "4";
    case LogSeverity::error:
      return "3";
  }
  return "3";
}

void add(std::string& entry, std::string_view name, std::string_view value) {
  entry += name;
  if (value.find('\n') == std::string_view::npos) {
    entry.append("=").append(value).append("\n");
    return;
  }
  entry += '\n';
  for (unsigned shift = 0; shift < 64; shift += 8) entry += static_cast<char>(value.size() >> shift & 0xFF);
  entry.append(value).append("\n");
}

void add_if_known(std::string& entry, std::string_view name, std::string_view value) {
  if (!value.empty()) add(entry, name, value);
}

void add_if_known(std::string& entry, std::string_view name, uint64_t value) {
  if (value != 0) add(entry, name, std::to_string(value));
}

}  // namespace

std::string journal_entry(const LogLine& line) {
  std::string entry;
  // Whoever reads the journal of the whole unit sees the message alone.
  const std::string& about = line.arena.empty() ? line.game : line.arena;
  add(entry, "MESSAGE", about.empty() ? line.text : about + ": " + line.text);
  add(entry, "PRIORITY", priority_of(line.severity));
  add(entry, "SYSLOG_IDENTIFIER", "arenad");
  add_if_known(entry, "ARENA", line.arena);
  add_if_known(entry, "GAME", line.game);
  add_if_known(entry, "EPOCH", line.epoch);
  add_if_known(entry, "FRAME", line.frame);
  add_if_known(entry, "SIGNATURE", line.signature);
  add_if_known(entry, "SOURCE", line.source);
  add_if_known(entry, "OBJECT_PID", line.pid);
  return entry;
}

}  // namespace arenad
