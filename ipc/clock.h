// The two clocks and the source of randomness. Nothing else in Arenad asks the system for either.
#pragma once

#include <cstdint>

namespace arenad {

uint64_t monotonic_ns();
uint64_t unix_ns();
inline uint64_t unix_ms() {
  return unix_ns() / 1'000'000;
}
uint64_t random_u64();

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

}  // namespace arenad
