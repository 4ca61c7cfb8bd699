// Brings the evidence of one arena together and has it judged: the clients' logs, the frames seen, and their replay.
#pragma once

#include <filesystem>
#include <span>

#include "chaos/arena_observer.h"
#include "chaos/findings.h"
#include "chaos/programs.h"

namespace arenad::chaos {

// logs: of the players. The observer's own is added; it must be closed. folder: where the recording goes.
Findings try_arena(const Programs& programs, const std::filesystem::path& folder, const ArenaObserver& observer,
                   std::span<const std::filesystem::path> logs);

}  // namespace arenad::chaos
