#include "cli/lifecycle_text.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/json_object.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

bool is_bad(const std::string& type) {
  return type == "died" || type == "failed" || type == "lost" || type == "quarantined" || type == "taken-back";
}

std::string quoted_if_needed(const std::string& value) {
  const bool is_word = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
  return is_word ? value : "\"" + value + "\"";
}

}  // namespace

std::string lifecycle_text(wire::LifecycleEvent::Reader event, Colour colour) {
  const std::string type = text_of(event.getType());
  const bool is_coloured = colour == Colour::ansi && is_bad(type);
  std::string text = fmt::format("{} {} {}{}{}", event.getNumber(), utc_ms_text(event.getAtUnixMs()),
                                 is_coloured ? "\x1b[31m" : "", printable(type), is_coloured ? "\x1b[0m" : "");
  if (event.getName().size() != 0) text += " " + printable(text_of(event.getName()));
  if (event.getGame().size() != 0) text += " game=" + printable(text_of(event.getGame()));
  if (event.getEpoch() != 0) text += fmt::format(" epoch={}", event.getEpoch());
  if (event.getFrame() != 0) text += fmt::format(" frame={}", event.getFrame());
  for (const auto detail : event.getDetails()) {
    text += " " + printable(text_of(detail.getKey())) + "=" + quoted_if_needed(printable(text_of(detail.getValue())));
  }
  return text + "\n";
}

std::string lifecycle_json(wire::LifecycleEvent::Reader event) {
  Json json = object_with_schema();
  json["number"] = event.getNumber();
  json["at_unix_ms"] = event.getAtUnixMs();
  json["type"] = text_of(event.getType());
  if (event.getArena().size() != 0) json["arena"] = text_of(event.getArena());
  if (event.getName().size() != 0) json["name"] = text_of(event.getName());
  if (event.getGame().size() != 0) json["game"] = text_of(event.getGame());
  if (event.getEpoch() != 0) json["epoch"] = event.getEpoch();
  if (event.getFrame() != 0) json["frame"] = event.getFrame();
  Json details = Json::object();
  for (const auto detail : event.getDetails()) details[text_of(detail.getKey())] = text_of(detail.getValue());
  json["details"] = std::move(details);
  return line(json);
}

std::string lifecycle_gap_json(uint64_t from, uint64_t to) {
  Json json = object_with_schema();
  json["gap"] = {{"from", from}, {"to", to}};
  return line(json);
}

}  // namespace arenad::cli
