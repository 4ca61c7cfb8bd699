// How the objects that --json prints are made; what is in them is json.h, crash_json.h and quarantine_json.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/json.h"

namespace arenad::cli {

using Json = nlohmann::ordered_json;

inline Json object_with_schema() {
  return {{"schema", kJsonSchema}};
}

// Names come from players: what is not UTF-8 in them becomes U+FFFD and never makes the whole answer unreadable.
inline std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace arenad::cli
