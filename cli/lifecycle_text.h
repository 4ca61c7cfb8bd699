// What has happened to arenas, for people and for programs.
#pragma once

#include <string>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// 17 2026-11-28T16:00:00.123Z died duel epoch=3 frame=17 cause="signal=SEGV" crash=4
std::string lifecycle_text(wire::LifecycleEvent::Reader event, Colour colour);

// {"number", "at_unix_ms", "type", "arena": its id, "name", "game", "epoch", "frame", "details": {...}}: what an event does not have is left out,
// but for the first three and the details
std::string lifecycle_json(wire::LifecycleEvent::Reader event);

// {"gap": {"from", "to"}}: events with these numbers are not kept any more
std::string lifecycle_gap_json(uint64_t from, uint64_t to);

}  // namespace arenad::cli
