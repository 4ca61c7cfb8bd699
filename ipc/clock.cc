#include "ipc/clock.h"

#include <sys/random.h>
#include <time.h>

#include "arenad/result.h"

namespace arenad {
namespace {

uint64_t read_clock(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return static_cast<uint64_t>(t.tv_sec) * kSecond + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

uint64_t monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
uint64_t unix_ns() {
  return read_clock(CLOCK_REALTIME);
}

uint64_t random_u64() {
  uint64_t value = 0;
  ARENAD_ASSERT(::getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

}  // namespace arenad
