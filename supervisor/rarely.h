// Of what happens too often to say it each time: whether it is to be said now, and how often it has happened since it was said.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "ipc/clock.h"

namespace arenad {

class Rarely {
 public:
  // It has happened. Gives a number, this time included, if it is to be said.
  std::optional<uint64_t> happened(uint64_t now_ns) {
    ++times_;
    if (said_ns_ != 0 && now_ns - said_ns_ < kSayAgainNs) return std::nullopt;
    said_ns_ = now_ns;
    return std::exchange(times_, 0);
  }

 private:
  static constexpr uint64_t kSayAgainNs = 10 * kSecond;
  uint64_t said_ns_ = 0;
  uint64_t times_ = 0;
};

}  // namespace arenad
