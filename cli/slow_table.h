// Slow frames, put together, for people and in JSON.
#pragma once

#include <span>
#include <string>

#include "cli/slow_sites.h"
#include "cli/table.h"

namespace arenad::cli {

Table slow_table(const std::vector<SlowSite>& sites);
// Each whole stack under the numbers of the frames that were caught with it.
std::string slow_stacks_text(const std::vector<SlowStack>& stacks, Colour colour);
// Over how many frames that is, and of when.
std::string extent_text(const SlowExtent& extent);

enum class Stacks { left_out, included };
// {"slow": {"frames", "arenas", "oldest", "newest", "sites": [{"count", "longest_ms", "total_ms", "phase", "call_site"}]}}, and with stacks also "stacks":
// [{"count", "longest_ms", "total_ms", "phase", "calls": [{"name", "language": "script" or "native"}]}], innermost call first.
std::string slow_json(std::span<const SlowFrameFacts> frames, Stacks stacks);

}  // namespace arenad::cli
