// What --json prints: always one object in one line, with "schema": 1. Keys are added, never renamed or given another meaning;
// otherwise the schema's number changes. Numbers of 64 bits stay numbers, except ids of types, which are text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "cli/arena_fields.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

constexpr int kJsonSchema = 1;

// {"error": {"code", "message"}}: also of a wrong command line
std::string error_json(const Error& error);

// {"id", "name", "already_running"}
std::string started_json(wire::Started::Reader started);

// {"items": [{"id", "name", "ok": what was done} or {"id", "name", "error": {"code", "message"}}]}
std::string items_json(capnp::List<wire::Item>::Reader items);
// The same with numbers as ids: for items that are no arenas, whose names are those of their arenas.
std::string numbered_items_json(capnp::List<wire::Item>::Reader items);

struct StatusAnswer {
  wire::Status::Reader status;
  uint64_t now_unix_ms;
  std::vector<const ArenaField*> columns;  // empty: every field, parameters, channels and the histogram of lateness
  std::vector<std::string> unknown;        // what was selected and matched nothing
};
// {"daemon": {...}, "arenas": [{...}], "unknown": [...]}
std::string status_json(const StatusAnswer& answer);

// {"arena", "file", "bytes"}
std::string exported_json(const std::string& arena, const std::string& file, uint64_t bytes);

// {"arenactl", "protocol", "daemon": {"program", "protocol", "pid", "uptime_ms"}}
std::string version_json(wire::Version::Reader daemon);

}  // namespace arenad::cli
