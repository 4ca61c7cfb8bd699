// A flame graph of slow frames, as one SVG that needs nothing else: each box is a call, as wide as the time of the frames that were caught in it,
// upon the call that it was made by. Invented by Brendan Gregg (brendangregg.com/flamegraphs.html); drawn here anew. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/slow_sites.h"

namespace arenad::cli {

struct FlameBox {
  std::string name;
  Language language = Language::native;
  size_t depth = 0;  // 0: the lowest
  double begin = 0;  // of the whole width, which is 1
  double width = 0;
  SlowCount of;
};

// A box for each call of each call path, callers before what they called, siblings by name from the left. The lowest box is all of them.
std::vector<FlameBox> flame_boxes(std::span<const SlowFrameFacts> frames);

// title: printable.
std::string flame_svg(std::span<const SlowFrameFacts> frames, const std::string& title);

}  // namespace arenad::cli
