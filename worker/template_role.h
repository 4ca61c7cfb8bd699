// A template: a process that has loaded one module version and forks workers from itself, so that a new worker has the module and
// all that it has warmed up without loading anything, and shares that memory.
//
//   loading --loaded--> serving --link closed--> end
//      '------cannot: says why, ends
//
// A module that crashes while it is loaded takes only the template with it; arenad refuses to start arenas of it.
#pragma once

#include <string>

#include "arenad/module_abi.h"
#include "ipc/incarnation.h"
#include "ipc/link.h"

namespace arenad {

struct TemplateOptions {
  std::string module_path;
  uint64_t output_ring_bytes = 0;  // 0: from the module's max_frame_output_bytes
  uint64_t frame_log_bytes = limits::kFrameLogBytes;
};

// Returns the exit code: in the template, and in each worker that came from it.
int run_template(const TemplateOptions& options, Link link);

// The regions of a game's arenas.
IncarnationSizes incarnation_sizes(const arenad_game& game, const TemplateOptions& options);

}  // namespace arenad
