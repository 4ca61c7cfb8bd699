// Waits, where a benchmark has nothing to look at meanwhile.
#pragma once

#include <cstdint>
#include <time.h>

namespace arenad::bench {

inline void sleep_ms(uint64_t ms) {
  const timespec time{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000 * 1'000'000)};
  ::nanosleep(&time, nullptr);
}

}  // namespace arenad::bench
