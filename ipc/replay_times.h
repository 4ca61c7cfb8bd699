// What running a recording at the desk has taken and given, frame by frame: written by arena-worker --replay --times, read by arenactl gate.
//
// A text, a line each:
//   module NAME VERSION                     first; the version, which may have blanks in it, goes to the end of the line
//   frame NUMBER NS OUTPUTS-HASH DIVERGED   hashes in hexadecimal; 1 if its outputs are not those that were recorded
//   result FRAME SEAT TYPE BYTES HASH       of its message
//   end STATE-HASH                          last: without it the run did not come to its end
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad {

struct ReplayedFrame {
  uint64_t frame = 0;
  uint64_t ns = 0;
  uint64_t outputs_hash = 0;
  bool diverged = false;
  bool operator==(const ReplayedFrame&) const = default;
};

struct ReplayedResult {
  uint64_t frame = 0;
  uint64_t seat = 0;
  uint64_t type = 0;
  uint64_t bytes = 0;
  uint64_t hash = 0;
  bool operator==(const ReplayedResult&) const = default;
};

struct ReplayTimes {
  std::string game;
  std::string version;
  std::vector<ReplayedFrame> frames;
  std::vector<ReplayedResult> results;
  uint64_t state_hash = 0;  // after the last frame
  bool operator==(const ReplayTimes&) const = default;
};

std::string write_replay_times(const ReplayTimes& times);
// ErrorCode::corrupt, with the line, if it is no such text or has no end.
Result<ReplayTimes> read_replay_times(std::string_view text);

}  // namespace arenad
