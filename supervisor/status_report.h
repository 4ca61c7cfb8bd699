// What `arenactl status` tells of an arena: read from its worker's status words, which it goes on writing meanwhile.
#pragma once

#include "ipc/control.capnp.h"
#include "supervisor/arena.h"

namespace arenad {

enum class Detail { row, page };
void report_arena(const Arena& arena, Detail detail, wire::ArenaStatus::Builder to);

}  // namespace arenad
