// Takes what a worker or a template has written to its standard output and error (ipc/output_file.h) into the log, line by line and as theirs,
// as many lines as an arena may log.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "ipc/output_file.h"
#include "supervisor/line_limit.h"

namespace arenad {

struct OutputSource {
  std::string_view arena;  // its name; empty: a template's
  std::string_view game;
  uint64_t epoch = 0;
  pid_t pid = 0;
};

// What the loop does for output before it looks after everything else again. All that are looked at share it, so that a hundred arenas which
// write without end take no more time than a few.
class OutputTurn {
 public:
  [[nodiscard]] bool has_room() const { return left_ != 0; }
  void spend(size_t cost) { left_ -= std::min(cost, left_); }

  // In bytes that are read and looked through: about 2 ms, or 2000 lines that are logged.
  static constexpr size_t kCost = size_t{2} * 1024 * 1024;
  static constexpr size_t kCostOfLook = 1024;
  static constexpr size_t kCostOfLine = 1024;

 private:
  size_t left_ = kCost;
};

class OutputLog {
 public:
  enum class Found { nothing, something };
  // Looks what is new. In one call no more is taken than costs little; the rest is taken by later ones. Lines above the rate are only counted.
  Found read(OutputFile& file, const OutputSource& source, const LineRate& rate, uint64_t now_ns, OutputTurn& turn);
  // Nobody is still to be told of what was left out.
  [[nodiscard]] bool has_told_all() const { return skipped_bytes_ == 0 && !limit_.has_suppressed(); }
  // The process has ended: all that is left, and of that the last lines in any case, because they tell why.
  void read_last(OutputFile& file, const OutputSource& source, const LineRate& rate, uint64_t now_ns);

 private:
  enum class Urgency { in_its_time, at_once };
  void say_left_out(const OutputSource& source, const LineRate& rate, uint64_t now_ns, Urgency urgency);

  LineLimit limit_;
  uint64_t skipped_bytes_ = 0;  // that nobody has been told of
  uint64_t said_ns_ = 0;
};

}  // namespace arenad
