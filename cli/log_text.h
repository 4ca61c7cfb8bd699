// Lines of the log, for people and for programs.
#pragma once

#include <string>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// 2026-11-28T16:00:00.123Z warning duel: its worker has died
// 2026-11-28T16:00:00.123Z info    duel[4711] frame 17: what the game says
std::string log_line_text(wire::LogLine::Reader line, Colour colour);

// {"number", "at_unix_ns", "severity", "source": arenad, worker or template, "arena", "game", "epoch", "frame", "pid", "signature", "text"}: what
// is not known is left out, but for the first four and the text
std::string log_line_json(wire::LogLine::Reader line);

}  // namespace arenad::cli
