#include "cli/quarantine_json.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/hex_dump.h"
#include "cli/json_object.h"
#include "cli/quantity.h"

namespace arenad::cli {
namespace {

Json event_json(wire::QuarantinedEvent::Reader event) {
  Json json{{"id", event.getId()},
            {"arena", text_of(event.getArena())},
            {"name", text_of(event.getName())},
            {"game", text_of(event.getGame())},
            {"seat", event.getSeat()},
            {"player", text_of(event.getPlayer())},
            {"channel", event.getChannel()},
            {"sequence", event.getSequence()},
            {"type", fmt::format("{:#018x}", event.getType())},
            {"bytes", event.getBytes()},
            {"frame", event.getFrame()},
            {"at", utc_ms_text(event.getAtUnixMs())},
            {"crash", nullptr}};
  if (event.getIncident() != 0) json["crash"] = event.getIncident();
  return json;
}

}  // namespace

std::string quarantine_json(capnp::List<wire::QuarantinedEvent>::Reader events) {
  Json json = object_with_schema();
  json["quarantine"] = Json::array();
  for (const auto event : events) json["quarantine"].push_back(event_json(event));
  return line(json);
}

std::string quarantined_json(wire::QuarantinedDetail::Reader detail, const EventReading& reading) {
  const auto message = detail.getMessage();
  Json event = event_json(detail.getEvent());
  event["message_hex"] = hex_text({message.begin(), message.size()});
  event["type_name"] = nullptr;
  event["text"] = nullptr;
  event["text_error"] = nullptr;
  if (reading && reading->ok()) {
    event["type_name"] = reading->value().type;
    event["text"] = reading->value().text;
  } else if (reading) {
    event["text_error"] = reading->error().text();
  }
  Json json = object_with_schema();
  json["quarantined"] = std::move(event);
  return line(json);
}

}  // namespace arenad::cli
