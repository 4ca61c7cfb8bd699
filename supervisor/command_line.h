// The options of arenad's command line. Its manual page is made of them too (packaging/manual/).
#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace arenad {

struct DaemonCommandLine {
  std::string config = "/etc/arenad/arenad.toml";
  bool check_config = false;
  bool print_default_config = false;
  bool release_groups = false;
  bool can_take_over = false;  // what arenad asks a program before it gives its place to it
};

// Parses into `to`, which must live as long.
std::unique_ptr<CLI::App> daemon_command_line(DaemonCommandLine& to);

}  // namespace arenad
