// The wall clock of arenad and its workers, set to another time by a test: what somebody with a shell, or a time server, does to a machine. Other
// clocks go on as they are. The orders lie in a file that is mapped by all of them (faulty_clock_preload.cc).
#pragma once

#include <atomic>
#include <cstdint>

namespace arenad::test {

// A file of zeros is valid: the clock is right.
struct ClockOrders {
  std::atomic<int64_t> ahead_ns;          // by so much; less than 0: it is behind. Written by the test
  std::atomic<uint64_t> asked_by_arenad;  // how often the time was asked for while the clock was wrong
  std::atomic<uint64_t> asked_by_workers;
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

constexpr const char* kClockVariable = "ARENAD_TEST_CLOCK";

}  // namespace arenad::test
