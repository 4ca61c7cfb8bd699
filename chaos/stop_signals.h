// Ctrl-C and SIGTERM, as facts to be asked for instead of interruptions: whatever happens, a run takes its parts down in order.
#pragma once

#include <cstdint>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad::chaos {

enum class Wish {
  go_on,
  end,         // asked once: end the run, judge it, say what came out
  end_at_once  // asked again: leave the judging out
};

class StopSignals {
 public:
  // Blocks the signals, for this process alone: programs that it starts begin with none blocked.
  static Result<StopSignals> take();
  // A signal right behind another is part of it: a key that is held down, or what signals a process and then its group.
  Wish look();

 private:
  explicit StopSignals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  int count_ = 0;
  uint64_t last_ns_ = 0;
};

}  // namespace arenad::chaos
