// An event as text, read with the types that its game declares.
//
// The event comes from a player and has killed a worker; the types come from the module that died of it. Neither is believed: both
// are bounded before they are printed, in what is followed, in depth and in what comes out, since a few bytes can claim to be many
// values, and a type can contain itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "arenad/result.h"

namespace arenad::cli {

struct EventText {
  std::string type;  // the short name
  std::string text;  // Cap'n Proto's text format, over several lines; may hold any byte that a player has sent
};

// `schema` is a message in stream framing with the root GameSchema (control.capnp), `message` one segment. The error says why the
// event cannot be shown. what: for errors; a game's state is shown in the same way.
Result<EventText> event_text(std::span<const unsigned char> schema, uint64_t type, std::span<const unsigned char> message,
                             std::string_view what = "the event");

}  // namespace arenad::cli
