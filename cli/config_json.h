// What --json prints of a reload of the configuration (json.h).
#pragma once

#include <string>

#include "arenad/result.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// {"config": {"file", "dry_run", "changes": [{"key", "from", "to", "takes_effect", "note"}], "problems": [{"file", "line", "column",
// "key", "message"}]}}. from and to are TOML, null where there is nothing; takes_effect is at-once, when-begun or after-restart; line
// and column are null where there is none.
std::string config_json(wire::ConfigReloaded::Reader reloaded);
// The same with {"error": {"code", "message"}}: it was refused as a whole.
std::string config_json(wire::ConfigReloaded::Reader reloaded, const Error& error);

}  // namespace arenad::cli
