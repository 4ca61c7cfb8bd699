// The options of arena-worker's command line. Its manual page is made of them too (packaging/manual/).
#pragma once

#include <memory>
#include <string>

#include "worker/desk_replay.h"
#include "worker/template_role.h"

namespace CLI {
class App;
}

namespace arenad {

struct WorkerCommandLine {
  std::string module_path;
  bool is_template = false;
  TemplateOptions as_template;  // without the module
  bool summary = false;
  DeskReplayOptions at_desk;  // without the module, and without what is printed
};

// Parses into `to`, which must live as long.
std::unique_ptr<CLI::App> worker_command_line(WorkerCommandLine& to);

}  // namespace arenad
