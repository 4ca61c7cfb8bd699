// The dice of a battle. Their whole state is one number, which belongs to the situation and is
// saved with it. SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
// OOPSLA 2014).
#pragma once

#include <cstdint>

namespace tanks::sim {

struct Random {
  uint64_t state = 0;

  bool operator==(const Random&) const = default;

  uint64_t next() {
    uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  // 0 <= result < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // low <= result <= high.
  int between(int low, int high) { return low + static_cast<int>(unit() * (high - low + 1)); }
  // 1 - spread <= result < 1 + spread.
  double factor(double spread) { return 1 + spread * (2 * unit() - 1); }
};

}  // namespace tanks::sim
