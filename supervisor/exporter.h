// What an arena is now: its newest snapshot, and a recording of it, with the frames since and the events that they took.
#pragma once

#include <string>

#include "arenad/result.h"
#include "state/snapshot.h"
#include "supervisor/arena.h"

namespace arenad {

// As it is now, of an arena that has something in memory; else refused.
Result<Snapshot> newest_snapshot(const Arena& arena);

// A recording's bytes (ipc/recording.h). The arena goes on meanwhile: what it decides after the snapshot was read is
// in the recording as far as it was decided by then.
Result<std::string> export_arena(const Arena& arena);

}  // namespace arenad
