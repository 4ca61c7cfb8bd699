// Numbers from a seed, the same ones everywhere.
#pragma once

#include <cstdint>
#include <random>

namespace arenad::test {

// std::mt19937_64 gives the same numbers everywhere; the distributions of the library do not.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t operator()() { return engine_(); }
  uint64_t below(uint64_t limit) { return engine_() % limit; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace arenad::test
