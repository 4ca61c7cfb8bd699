// Crash reports in JSON; the rules are those of json.h. Times are ISO 8601 in UTC. Addresses are text: many readers of JSON lose
// digits of numbers beyond 2^53. What does not apply is null.
#pragma once

#include <string>

#include "cli/stack_symbols.h"
#include "ipc/crash.capnp.h"

namespace arenad::cli {

// {"crashes": [{"id", "arena", "name", "game", "game_version", "build_id", "epoch", "frame", "at", "kind", "cause", "signal",
// "exit_code", "address", "pid", "phase", "event": {"channel", "sequence", "player"}, "took_ms", "quarantined"}]}
std::string crashes_json(capnp::List<wire::Incident>::Reader incidents);

// {"crash": {as above, "script_source": "stack", "error" or null, "script": [a line each], "stack": [{"address", "object", "build_id",
// "offset"}]}}. With symbols a frame also has "function", "file" and
// "line", and there is "symbol_problems": why files were not used.
std::string crash_json(wire::Crash::Reader crash, const StackSymbols* symbols);

}  // namespace arenad::cli
