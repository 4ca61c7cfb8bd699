// Seeds of random tests: a new one each time, printed, and given again with ARENAD_TEST_SEED=number.
#pragma once

#include <cstdlib>

#include <doctest/doctest.h>

#include "chaos/disk/random_sequence.h"
#include "ipc/clock.h"

namespace arenad::test {

inline uint64_t test_seed() {
  const char* given = std::getenv("ARENAD_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 0) : random_u64();
  MESSAGE("ARENAD_TEST_SEED=", seed);
  return seed;
}

// A number that only these two numbers give: what a record must hold to be whole.
constexpr uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9E3779B97F4A7C15ull + b * 0xD1B54A32D192ED03ull + 0x632BE59BD9B4E019ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

}  // namespace arenad::test
