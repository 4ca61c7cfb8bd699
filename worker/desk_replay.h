// Runs a recording at the desk: the same frames in the same order as in production, in this process, without arenad, so that a
// debugger can step through them. Prints one line a frame; with an outputs file, also writes every output record (ipc/record.h); with a
// snapshot file, at last the snapshot of the last frame (state/snapshot_layout.h): what a recording of the frames behind it begins with, for
// another version of the game, which is another process; with a times file, how long each frame took and what came of it (ipc/replay_times.h).
#pragma once

#include <string>

#include "arenad/result.h"

namespace arenad {

struct DeskReplayOptions {
  std::string recording_path;
  std::string module_path;
  std::string outputs_path;   // empty: outputs are not written
  std::string snapshot_path;  // empty: no snapshot is written
  std::string times_path;     // empty: times are not written
  enum class Print { frames, summary } print = Print::frames;
};

// Frames that give other outputs than were recorded are counted and printed; the result is the number of them.
Result<uint64_t> replay_at_desk(const DeskReplayOptions& options);

}  // namespace arenad
