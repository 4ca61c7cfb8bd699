// Runs a recording at the desk, in an arena-worker of its own (worker/desk_replay.h): the code of a game is never loaded into arenactl.
#pragma once

#include <optional>
#include <string>

#include "arenad/result.h"
#include "ipc/replay_times.h"

namespace arenad::cli {

// The program that is installed beside this one.
std::string worker_beside_self();

struct DeskRun {
  std::string worker;  // the program
  std::string recording;
  std::string module;
  std::optional<uint64_t> timeout_ms;
};
// Errors: failed, with how it ended and its last words, if it did not come to its end; timeout.
Result<ReplayTimes> run_at_desk(const DeskRun& run);

}  // namespace arenad::cli
