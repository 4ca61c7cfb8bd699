// How old an arena's last snapshot is, as far as that matters: so much would be run again if the worker died now.
#pragma once

#include <cstdint>

#include "ipc/incarnation_layout.h"

namespace arenad {

// 0: no frame has run since, there is no snapshot yet, or the worker does not tell.
inline uint64_t snapshot_age_ns(const WorkerStatus& s, uint64_t now_ns) {
  const uint64_t frame = s.snapshot_frame.load(std::memory_order_relaxed);
  if (s.frame_done.load(std::memory_order_relaxed) <= frame) return 0;
  const uint64_t taken_ns = s.snapshot_taken_ns.load(std::memory_order_relaxed);
  return taken_ns == 0 || taken_ns > now_ns ? 0 : now_ns - taken_ns;
}

}  // namespace arenad
