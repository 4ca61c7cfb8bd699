// Whether new code plays a recorded match as well as code of before did: the times of its frames, and what came of them. Pure.
//
// Noise only ever adds to a time. So each frame's time is its shortest of all runs of the same code, and mean, 99th percentile and longest are those
// of these: a machine that was busy in one run spoils nothing that was measured in another.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "ipc/replay_times.h"

namespace arenad::cli {

struct FrameTimes {
  uint64_t mean_ns = 0;
  uint64_t p99_ns = 0;
  uint64_t longest_ns = 0;
  bool operator==(const FrameTimes&) const = default;
};

// All runs of one code.
struct GateSide {
  std::string game;
  std::string version;
  uint64_t frames = 0;
  FrameTimes times;
  uint64_t outputs_hash = 0;  // of the outputs of all frames
  uint64_t state_hash = 0;
  uint64_t diverged = 0;  // frames whose outputs are not those that were recorded
  std::vector<ReplayedResult> results;
  bool is_deterministic = true;  // all runs gave the same
  bool operator==(const GateSide&) const = default;
};

// Errors: invalid if there is no run, or one without frames.
Result<GateSide> side_of(std::span<const ReplayTimes> runs);

enum class Wanted { same, any };

struct GatePolicy {
  double max_slower_percent = 10;
  std::optional<Wanted> outputs;  // nothing: same if both sides have the same version
  Wanted results = Wanted::same;
};

enum class Verdict { passed, failed, shown };  // shown: different, and that is allowed

struct GateCheck {
  std::string name;
  std::string before;
  std::string after;
  std::string change;
  Verdict verdict = Verdict::passed;
};

// before: nothing if there is only the recording to compare with, which has outputs and no times. recorded_version: of the code that it is of.
std::vector<GateCheck> gate_checks(const GateSide* before, const GateSide& after, const std::string& recorded_version,
                                   const GatePolicy& policy);
bool has_passed(std::span<const GateCheck> checks);

}  // namespace arenad::cli
