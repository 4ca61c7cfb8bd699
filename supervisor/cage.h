// What arenad has to do with the cage around game code (docs/the-cage.md): it says to templates what they may, and to the operator what the
// machine that it runs on cannot hold.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipc/cage_options.h"
#include "supervisor/config.h"
#include "supervisor/control_group.h"

namespace arenad {

CageOptions cage_options(const GameConfig& game);

// Of the control group of a worker whose region takes so many bytes. Nothing: without a cage it has none. The limit is above what the worker
// may allocate, so that allocations fail before the kernel ends anybody.
std::optional<GroupLimits> group_limits(const GameConfig& game, uint64_t region_bytes);

// What the running kernel, or what arenad itself was started in, does not let it enforce: a sentence for each, for the log.
std::vector<std::string> cage_gaps();

// Other processes of arenad's user can neither read nor trace it from now on. Whoever lets it leave a core (RLIMIT_CORE) looks for a fault in
// arenad itself: then it stays as it is.
void close_own_memory();

}  // namespace arenad
