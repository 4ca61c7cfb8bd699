// Events in quarantine for people: the table of many and the page of one.
#pragma once

#include <optional>
#include <string>

#include "arenad/result.h"
#include "cli/event_text.h"
#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

Table quarantine_table(capnp::List<wire::QuarantinedEvent>::Reader events);

// The event as text, or why it cannot be shown so; nothing if its types are not known now.
using EventReading = std::optional<Result<EventText>>;
EventReading reading_of(wire::QuarantinedDetail::Reader detail);

std::string render_quarantined_page(wire::QuarantinedDetail::Reader detail, const EventReading& reading, Colour colour);

}  // namespace arenad::cli
