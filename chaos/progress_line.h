// Shows how far a run is: on a terminal one line that is drawn again in its place, otherwise a line every few seconds.
#pragma once

#include <cstdint>
#include <cstdio>

#include "chaos/run_text.h"

namespace arenad::chaos {

class ProgressLine {
 public:
  explicit ProgressLine(FILE* out);
  // Whether it would be shown now.
  [[nodiscard]] bool is_due(uint64_t now_ns) const { return now_ns >= next_ns_; }
  void show(const Progress& progress, uint64_t now_ns);
  // Takes the line away from a terminal.
  void clear();

 private:
  enum class Kind { terminal, plain };
  FILE* out_;
  Kind kind_;
  uint64_t next_ns_ = 0;
};

}  // namespace arenad::chaos
