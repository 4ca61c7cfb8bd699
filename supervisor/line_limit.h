// How many lines an arena may log: a burst, and then so many a second. Pure: no clock inside; times are monotonic nanoseconds.
//
// A bucket of tokens: each line takes one, and they come back with time. What finds none is suppressed and counted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace arenad {

struct LineRate {
  uint64_t lines_per_s = 100;
  uint64_t burst = 1000;
  bool operator==(const LineRate&) const = default;
};

class LineLimit {
 public:
  // Whether a line of now may be logged.
  bool admit(const LineRate& rate, uint64_t now_ns) {
    if (!has_room(rate, now_ns)) {
      suppress(1);
      return false;
    }
    tokens_ -= 1;
    return true;
  }
  // Whether it would be. What is not asked for then is to be suppressed.
  bool has_room(const LineRate& rate, uint64_t now_ns) {
    fill(rate, now_ns);
    return tokens_ >= 1;
  }
  [[nodiscard]] bool has_suppressed() const { return suppressed_ != 0; }
  void suppress(uint64_t lines) { suppressed_ += lines; }
  // How many were suppressed since this was last asked with an answer other than 0: once there is room for a line again.
  uint64_t take_suppressed(const LineRate& rate, uint64_t now_ns) {
    if (suppressed_ == 0) return 0;
    fill(rate, now_ns);
    return tokens_ < 1 ? 0 : std::exchange(suppressed_, 0);
  }
  // The same, whether there is room or not.
  uint64_t take_suppressed() { return std::exchange(suppressed_, 0); }

 private:
  void fill(const LineRate& rate, uint64_t now_ns) {
    const auto most = static_cast<double>(std::max<uint64_t>(rate.burst, 1));
    if (!began_) tokens_ = most;
    const uint64_t passed_ns = began_ && now_ns > filled_ns_ ? now_ns - filled_ns_ : 0;
    tokens_ = std::min(most, tokens_ + static_cast<double>(passed_ns) * static_cast<double>(rate.lines_per_s) / 1e9);
    filled_ns_ = now_ns;
    began_ = true;
  }

  bool began_ = false;
  uint64_t filled_ns_ = 0;
  double tokens_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace arenad
