#include "cli/log_text.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/json_object.h"
#include "cli/quantity.h"
#include "ipc/clock.h"

namespace arenad::cli {
namespace {

std::string source_of(wire::LogLine::Reader line) {
  return line.getSource().size() == 0 ? "arenad" : text_of(line.getSource());
}

std::string whose(wire::LogLine::Reader line) {
  std::string who = text_of(line.getArena().size() != 0 ? line.getArena() : line.getGame());
  if (who.empty()) return "arenad";
  if (line.getSource().size() == 0) return who;
  who += fmt::format("[{}]", line.getPid());
  if (line.getFrame() != 0) who += fmt::format(" frame {}", line.getFrame());
  return who;
}

const char* colour_of(const std::string& severity) {
  if (severity == "error") return "\x1b[31m";
  return severity == "warning" ? "\x1b[33m" : "";
}

}  // namespace

// arenad has made its lines fit for a terminal already.
std::string log_line_text(wire::LogLine::Reader line, Colour colour) {
  const std::string severity = text_of(line.getSeverity());
  const std::string begin = colour == Colour::ansi ? colour_of(severity) : "";
  return fmt::format("{} {}{:<7}{} {}: {}\n", utc_ms_text(static_cast<int64_t>(line.getAtUnixNs() / kMillisecond)), begin,
                     severity, begin.empty() ? "" : "\x1b[0m", whose(line), text_of(line.getText()));
}

std::string log_line_json(wire::LogLine::Reader from) {
  Json json = object_with_schema();
  json["number"] = from.getNumber();
  json["at_unix_ns"] = from.getAtUnixNs();
  json["severity"] = text_of(from.getSeverity());
  json["source"] = source_of(from);
  if (from.getArena().size() != 0) json["arena"] = text_of(from.getArena());
  if (from.getGame().size() != 0) json["game"] = text_of(from.getGame());
  if (from.getEpoch() != 0) json["epoch"] = from.getEpoch();
  if (from.getFrame() != 0) json["frame"] = from.getFrame();
  if (from.getPid() != 0) json["pid"] = from.getPid();
  if (from.getSignature().size() != 0) json["signature"] = text_of(from.getSignature());
  json["text"] = text_of(from.getText());
  return line(json);
}

}  // namespace arenad::cli
