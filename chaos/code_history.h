// Which version of the game each stretch of a match counts for, told by the arena's incarnations. Pure.
//
// Only versions that stay count. What another one did before it was taken back was run again by the version before it, and as the bad
// versions of the tanks do the same as that one until they go wrong, their outputs must be its outputs.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chaos/arena_observer.h"

namespace arenad::chaos {

struct Stretch {
  uint64_t after_frame = 0;  // it begins with the next one
  std::string version;
  bool operator==(const Stretch&) const = default;
};

// In order; the first one begins after frame 0. Empty if no version that stays was ever seen.
std::vector<Stretch> code_history(std::span<const Life> lives, const std::map<std::string, std::filesystem::path>& versions);

}  // namespace arenad::chaos
