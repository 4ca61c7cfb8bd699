// What a reload of the configuration has found, for people.
#pragma once

#include <string>
#include <vector>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// The changes, grouped by when they take effect; "no changes" if there are none.
std::string render_config_changes(wire::ConfigReloaded::Reader reloaded, Colour colour);

// One line for each, as arenad --check-config prints them.
std::vector<std::string> config_problems(wire::ConfigReloaded::Reader reloaded);

// "2 changes need a restart of arenad; until then the old values stay in force"; empty if none does.
std::string restart_note(wire::ConfigReloaded::Reader reloaded);

}  // namespace arenad::cli
