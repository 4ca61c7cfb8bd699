// arenad's standard error, kept from taking anything by a test, as a pipe that nobody reads or a terminal that was stopped does. The orders lie in
// a file that arenad maps too (faulty_log_preload.cc).
#pragma once

#include <atomic>
#include <cstdint>

namespace arenad::test {

// A file of zeros is valid: all is written.
struct LogOrders {
  std::atomic<uint32_t> blocked_by;  // the number of an order, which is another one each time; 0: by none
  std::atomic<uint32_t> last;        // the last number
  std::atomic<uint32_t> met;         // arenad's: the order that its last write waits for, or has waited for
};

constexpr const char* kLogVariable = "ARENAD_TEST_LOG_ORDERS";

}  // namespace arenad::test
