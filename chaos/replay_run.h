// The same frames without a crash: a recording made of what was seen and what the clients sent, run by arena-worker at the desk. If the
// code was changed, each version runs its frames in a process of its own, from the snapshot that the one before it has written.
#pragma once

#include <filesystem>
#include <span>

#include "chaos/client_log.h"
#include "chaos/code_history.h"
#include "chaos/control.h"
#include "chaos/frame_history.h"
#include "chaos/judge.h"
#include "chaos/programs.h"
#include "ipc/recording.h"

namespace arenad::chaos {

// From the arena's first frame on, with nothing in it that comes from arenad. An error if a channel has joined that is none of
// the clients'.
Result<Recording> make_recording(const StartedArena& arena, const FrameHistory& history, std::span<const ClientLog> clients);

// "replayed NAME to frame 12: 34 events, 56 outputs, 7 divergences"
std::optional<Replay> parse_replay_summary(const std::string& line);

// Writes the recordings and their outputs into the folder. stretches: with modules in programs.versions; none: the game's module runs all.
Result<Replay> run_replay(const Programs& programs, const std::filesystem::path& folder, const Recording& recording,
                          std::span<const Stretch> stretches = {});

}  // namespace arenad::chaos
