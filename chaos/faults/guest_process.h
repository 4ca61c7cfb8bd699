// A process of its own that is a client of an arena: it observes, and is there to be killed.
#pragma once

#include <string>

#include "chaos/child_process.h"
#include "chaos/fault.h"

namespace arenad::chaos {

// It is attached and reads when this returns; players play on meanwhile.
Result<ChildProcess> guest_process(Stage& stage, size_t arena);
// The same, of an arena by its name.
Result<ChildProcess> guest_process(Stage& stage, const std::string& arena);

}  // namespace arenad::chaos
