// The versions of games that arenad knows, for people.
#pragma once

#include <string>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

Table game_version_table(capnp::List<wire::GameVersion>::Reader versions);

}  // namespace arenad::cli
