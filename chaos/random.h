// The seeded randomness of a run: a stream for each user, so that a new draw in one place does not move all the others.
#pragma once

#include <cstdint>
#include <string_view>

namespace arenad::chaos {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014), begun from the seed and the
// FNV-1a hash of the stream's name. The library's distributions differ from machine to machine; these numbers do not.
class Random {
 public:
  Random(uint64_t seed, std::string_view stream) : state_(seed) {
    uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : stream) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    state_ ^= hash;
    state_ = next();
  }
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  // 0 <= result < limit; limit > 0.
  uint64_t below(uint64_t limit) { return next() % limit; }

 private:
  uint64_t state_;
};

}  // namespace arenad::chaos
