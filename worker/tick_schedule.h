// When the next tick is due. Pure: times are given, in monotonic nanoseconds.
//
// Ticks keep their phase: a tick that begins late does not move the next one. Behind by more than kMaxCatchUp ticks (the
// machine was stopped, the arena was down for long), the missing ones are given up and the phase begins anew.
#pragma once

#include <cstdint>

#include "ipc/limits.h"

namespace arenad {

class TickSchedule {
 public:
  static constexpr uint64_t kMaxCatchUp = limits::kMaxCatchUpTicks;

  // The first tick is due at first_due_ns. period_ns > 0.
  TickSchedule(uint64_t period_ns, uint64_t first_due_ns) : period_ns_(period_ns), due_ns_(first_due_ns) {}

  [[nodiscard]] uint64_t due_ns() const { return due_ns_; }
  [[nodiscard]] uint64_t period_ns() const { return period_ns_; }
  [[nodiscard]] bool is_due(uint64_t now_ns) const { return now_ns >= due_ns_; }
  // The tick that is due begins now. Returns how late it is.
  uint64_t begin(uint64_t now_ns) {
    const uint64_t late_ns = now_ns > due_ns_ ? now_ns - due_ns_ : 0;
    due_ns_ = late_ns > kMaxCatchUp * period_ns_ ? now_ns + period_ns_ : due_ns_ + period_ns_;
    return late_ns;
  }

 private:
  uint64_t period_ns_;
  uint64_t due_ns_;
};

}  // namespace arenad
