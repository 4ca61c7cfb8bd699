// The options of arena-keeper's command line. Its manual page is made of them too (packaging/manual/).
#pragma once

#include <memory>

#include "keeper/keeper.h"

namespace CLI {
class App;
}

namespace arenad {

// Parses into `to`, which must live as long.
std::unique_ptr<CLI::App> keeper_command_line(KeeperOptions& to);

}  // namespace arenad
