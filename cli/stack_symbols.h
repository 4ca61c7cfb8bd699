// The stack of a report with what the symbols say about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/symbolizer.h"
#include "ipc/crash.capnp.h"

namespace arenad::cli {

struct StackSymbols {
  std::vector<std::optional<SourcePlace>> places;  // one for each frame; nothing where no symbols could be used
  std::vector<std::string> problems;               // files that could not be used, each once, and why
};

StackSymbols symbols_of(capnp::List<wire::StackFrame>::Reader stack);
// For many stacks: files stay open in the symbolizer.
StackSymbols symbols_of(capnp::List<wire::StackFrame>::Reader stack, Symbolizer& symbolizer);

}  // namespace arenad::cli
