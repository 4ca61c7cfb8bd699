#include "ipc/futex.h"

#include <array>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "arenad/result.h"
#include "ipc/clock.h"

namespace arenad {
namespace {

timespec to_timespec(uint64_t ns) {
  return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}

void wait_one(const FutexWait& wait, const timespec* deadline) {
  // FUTEX_WAIT_BITSET takes an absolute deadline, FUTEX_WAIT a relative one.
  ::syscall(SYS_futex, wait.word, FUTEX_WAIT_BITSET, wait.seen, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

void futex_wait_any(std::span<const FutexWait> waits, uint64_t deadline_ns) {
  ARENAD_ASSERT(!waits.empty() && waits.size() <= kMaxFutexWaits);
  const timespec deadline = to_timespec(deadline_ns);
  const timespec* limit = deadline_ns == kNoDeadline ? nullptr : &deadline;
  if (waits.size() == 1) {
    wait_one(waits[0], limit);
    return;
  }
  std::array<futex_waitv, kMaxFutexWaits> list{};
  for (size_t i = 0; i < waits.size(); ++i) {
    list[i].val = waits[i].seen;
    list[i].uaddr = reinterpret_cast<uintptr_t>(waits[i].word);
    list[i].flags = FUTEX_32;  // shared between processes
  }
  ::syscall(SYS_futex_waitv, list.data(), waits.size(), 0, limit, CLOCK_MONOTONIC);
}

void futex_wake_all(const FutexWord* word) {
  ::syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace arenad
