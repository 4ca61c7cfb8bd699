// Whether the operator must hear that checkpoints do not reach the database. Pure: it is told how things stand, and says what to tell.
//
//   state   | so far behind  | then
//   --------+----------------+---------------------
//   silent  | over the limit | raised: told once
//   silent  | otherwise      | nothing
//   raised  | over the limit | nothing
//   raised  | otherwise      | healed: told once
#pragma once

#include <algorithm>
#include <cstdint>

namespace arenad {

enum class AlarmChange { none, raised, healed };

class CheckpointAlarm {
 public:
  explicit CheckpointAlarm(uint64_t limit_ns) : limit_ns_(limit_ns) {}  // 0: never

  // lag_ns: how long the oldest of what is not in the database has waited. failing_ns: how long the database has taken nothing. 0: not
  // at all.
  AlarmChange observe(uint64_t lag_ns, uint64_t failing_ns) {
    const bool is_over = limit_ns_ != 0 && std::max(lag_ns, failing_ns) > limit_ns_;
    if (is_over == is_raised_) return AlarmChange::none;
    is_raised_ = is_over;
    return is_over ? AlarmChange::raised : AlarmChange::healed;
  }
  // Counts from the next observation on.
  void set_limit(uint64_t limit_ns) { limit_ns_ = limit_ns; }
  [[nodiscard]] bool is_raised() const { return is_raised_; }

 private:
  uint64_t limit_ns_;
  bool is_raised_ = false;
};

}  // namespace arenad
