// Makes a recording of an arena as it is now: its newest snapshot, the frames since and the events that they took.
#pragma once

#include <string>

#include "arenad/result.h"
#include "supervisor/arena.h"

namespace arenad {

// A recording's bytes (ipc/recording.h). The arena goes on meanwhile: what it decides after the snapshot was read is
// in the recording as far as it was decided by then.
Result<std::string> export_arena(const Arena& arena);

}  // namespace arenad
