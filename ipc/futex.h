// Sleeping until a word in shared memory changes.
//
// Who sleeps needs read access only, and so does who wakes: both sides may map the word read-only, and only its one writer changes
// it. A sleeper compares the word with what it last saw, so a change between its last look and its sleep is never missed.
// Words are the low halves of 64-bit stream positions: a sleeper would miss a wake-up only if exactly 4 GiB passed between
// its look and its sleep, which no ring can hold.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

namespace arenad {

using FutexWord = std::atomic<uint32_t>;

struct FutexWait {
  const FutexWord* word;
  uint32_t seen;
};

// The word that is the low half of a 64-bit position.
inline const FutexWord* low_half(const std::atomic<uint64_t>& position) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return reinterpret_cast<const FutexWord*>(&position);
}

constexpr size_t kMaxFutexWaits = 128;  // FUTEX_WAITV_MAX
constexpr uint64_t kNoDeadline = UINT64_MAX;

// Sleeps until one of the words differs from what was seen, or is woken, or the monotonic deadline has come, or a signal.
// At most kMaxFutexWaits words. Spurious returns are allowed; the caller looks again.
void futex_wait_any(std::span<const FutexWait> waits, uint64_t deadline_ns);

void futex_wake_all(const FutexWord* word);

}  // namespace arenad
