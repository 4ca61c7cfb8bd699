// The versions of games that arenad knows, for people.
#pragma once

#include <string>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

std::string render_game_versions(capnp::List<wire::GameVersion>::Reader versions, Colour colour);

}  // namespace arenad::cli
