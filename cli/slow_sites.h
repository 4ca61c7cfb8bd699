// Slow frames put together: those that were caught at the same place, or with the same stack. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/slow_stack.h"

namespace arenad::cli {

struct SlowCount {
  uint64_t count = 0;
  uint64_t longest_ms = 0;
  uint64_t total_ms = 0;
  void add(uint64_t ran_ms);
};

struct SlowSite {
  std::string phase;
  std::string call_site;
  SlowCount of;
};

struct SlowStack {
  std::string phase;
  std::vector<SlowCall> calls;  // innermost first
  SlowCount of;
};

// What all of them together are.
struct SlowExtent {
  size_t frames = 0;
  size_t arenas = 0;
  int64_t oldest_unix_ms = 0;
  int64_t newest_unix_ms = 0;
};

// Those that took longest in all come first; among equals, by their names.
std::vector<SlowSite> slow_sites(std::span<const SlowFrameFacts> frames);
std::vector<SlowStack> slow_stacks(std::span<const SlowFrameFacts> frames);
SlowExtent extent_of(std::span<const SlowFrameFacts> frames);

}  // namespace arenad::cli
