// How long somebody else may take, counted in looks: a limit is cut into equal intervals, and each look costs one, however late it comes.
// So an observer that was itself stopped, or got no processor, loses one interval by that, and reads what has arrived meanwhile before
// its next look. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace arenad {

class Patience {
 public:
  static constexpr uint64_t kLooks = 20;

  // From one look to the next.
  static constexpr uint64_t interval(uint64_t limit) { return std::max<uint64_t>(1, (limit + kLooks - 1) / kLooks); }

  void begin() { left_ = kLooks; }
  // Whether it is over now: told once.
  bool look() { return left_ != 0 && --left_ == 0; }

 private:
  uint64_t left_ = 0;
};

}  // namespace arenad
