#include "cli/quarantine_page.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/hex_dump.h"
#include "cli/page.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

using Event = wire::QuarantinedEvent::Reader;

std::string shown(capnp::Text::Reader text) {
  return printable(text_of(text));
}

std::string type_number(Event event) {
  return fmt::format("{:#018x}", event.getType());
}

bool is_text(const EventReading& reading) {
  return reading && reading->ok();
}

std::string type_text(Event event, const EventReading& reading) {
  const std::string name = is_text(reading) ? printable(reading->value().type) + " " : "";
  return fmt::format("{}{}, {} bytes", name, type_number(event), event.getBytes());
}

std::string event_lines(capnp::Data::Reader message, const EventReading& reading) {
  if (is_text(reading)) return "\n" + printable_lines(reading->value().text) + "\n";
  const std::string why = reading ? "cannot be shown as text: " + printable(reading->error().text()) + "\n"
                                  : "arenad does not know the types of the game now\n";
  return "\n" + why + hex_dump({message.begin(), message.size()});
}

}  // namespace

Table quarantine_table(capnp::List<wire::QuarantinedEvent>::Reader events) {
  Table table({{"ID", Align::right},
               {"ARENA"},
               {"WHEN"},
               {"FRAME", Align::right},
               {"SEAT", Align::right},
               {"PLAYER"},
               {"TYPE"},
               {"BYTES", Align::right},
               {"CRASH", Align::right}});
  for (const Event event : events) {
    table.add_row({{std::to_string(event.getId())},
                   {shown(event.getName())},
                   {utc_ms_text(event.getAtUnixMs())},
                   {std::to_string(event.getFrame())},
                   {std::to_string(event.getSeat())},
                   {shown(event.getPlayer())},
                   {type_number(event)},
                   {std::to_string(event.getBytes())},
                   {event.getIncident() == 0 ? "" : std::to_string(event.getIncident())}});
  }
  return table;
}

EventReading reading_of(wire::QuarantinedDetail::Reader detail) {
  const auto schema = detail.getSchema();
  if (schema.size() == 0) return std::nullopt;
  const auto message = detail.getMessage();
  return event_text({schema.begin(), schema.size()}, detail.getEvent().getType(), {message.begin(), message.size()});
}

std::string render_quarantined_page(wire::QuarantinedDetail::Reader detail, const EventReading& reading, Colour colour) {
  const Event event = detail.getEvent();
  Page page;
  page.add_raw(fmt::format("{} {}: withheld\n", painted(shown(event.getName()), Tone::heading, colour), event.getId()));
  page.add("when", utc_ms_text(event.getAtUnixMs()));
  page.add("arena", shown(event.getArena()));
  page.add("game", shown(event.getGame()));
  page.add("frame", std::to_string(event.getFrame()));
  page.add("sent by", fmt::format("{}, seat {}", shown(event.getPlayer()), event.getSeat()));
  page.add("event", fmt::format("{} of channel {}", event.getSequence(), event.getChannel()));
  page.add("type", type_text(event, reading));
  if (event.getIncident() != 0)
    page.add("decided by", fmt::format("a death: see arenactl crashes show {}", event.getIncident()));
  page.add_raw(event_lines(detail.getMessage(), reading));
  return page.text();
}

}  // namespace arenad::cli
