// Events in quarantine in JSON; the rules are those of json.h and crash_json.h.
#pragma once

#include <string>

#include "cli/quarantine_page.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// {"quarantine": [{"id", "arena", "name", "game", "seat", "player", "channel", "sequence", "type", "bytes", "frame", "at",
// "crash"}]}
std::string quarantine_json(capnp::List<wire::QuarantinedEvent>::Reader events);

// {"quarantined": {as above, "message_hex", "type_name", "text", "text_error"}}: the text is null if there is none, with the reason
// beside it unless the types are not known now.
std::string quarantined_json(wire::QuarantinedDetail::Reader detail, const EventReading& reading);

}  // namespace arenad::cli
