// A worker's death as arenad has reported it, and what of it was seen from outside. Times are in milliseconds; 0: not told.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace arenad::chaos {

struct ToldDeath {
  uint64_t id = 0;
  size_t arena = 0;  // index in the plan's
  uint64_t epoch = 0;
  pid_t pid = 0;
  double detect_ms = 0;    // since the worker's last sign of life: no less than passed without notice
  uint64_t heard_ns = 0;   // by CLOCK_MONOTONIC, as arena-chaos has it too
  double recovery_ms = 0;  // from then on
  double start_ms = 0;     // its parts
  double load_ms = 0;
  double replay_ms = 0;
  uint64_t overtaken_by = 0;  // id of a later one; 0: none came before it was recovered from
  // Since arena-chaos itself had killed it; 0: it did not.
  double notice_ms = 0;

  [[nodiscard]] bool is_recovered() const { return recovery_ms > 0; }
  // As near as it can be known.
  [[nodiscard]] double unnoticed_ms() const { return notice_ms > 0 ? notice_ms : detect_ms; }
};

}  // namespace arenad::chaos
