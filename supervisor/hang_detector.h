// Whether a worker still makes progress. One for each worker. Pure: it is told what was seen, and says what to do.
//
//   stalled for   | in a frame                              | between frames
//   --------------+-----------------------------------------+--------------------------------------------
//   soft limit    | record_slow, once for each stall        | -
//   half of hard  | -                                       | look: a healthy one that is woken moves at once
//   hard limit    | abort, once: it leaves a black box      | abort, once
//   hard + grace  | kill, until it is dead                  | kill, until it is dead
//   starting      | never: how long that may take is the lifecycle's deadline
//
// A stall is the time for which the worker was *seen* not to move: an observer that was itself stopped, or got no processor, counts at
// most two of its own intervals for the gap. So a stopped and continued arenad does not kill healthy workers. Nor is a worker that was stopped
// for less than half of the hard limit taken for one that hangs, though it had nothing to do before.
#pragma once

#include <algorithm>
#include <cstdint>

namespace arenad {

struct HangPolicy {
  uint64_t interval_ns = 50'000'000;  // between two observations, if nothing is late
  uint64_t soft_ns = 100'000'000;     // 0: slow frames are not recorded
  uint64_t hard_ns = 2'000'000'000;   // 0: nothing is ever ended
  uint64_t grace_ns = 500'000'000;    // from abort to kill
  bool operator==(const HangPolicy&) const = default;
};

enum class HangAction { none, look, record_slow, abort, kill };

// What the worker was doing when it was looked at.
enum class WorkerActivity { starting, between_frames, in_frame };

class HangDetector {
 public:
  // Another worker from now on.
  void reset() { *this = {}; }

  // beats: a number that the worker raises whenever it gets anywhere.
  HangAction observe(const HangPolicy& policy, uint64_t now_ns, uint64_t beats, WorkerActivity activity) {
    const bool moved = !seen_ || beats != beats_ || activity == WorkerActivity::starting;
    const uint64_t step_ns = seen_ ? std::min(now_ns - std::min(now_ns, seen_ns_), 2 * policy.interval_ns) : 0;
    alive_ns_ = alive_ns(beats);
    seen_ = true;
    seen_ns_ = now_ns;
    beats_ = beats;
    if (moved) {
      stalled_ns_ = 0;
      told_slow_ = false;
      // One that was told to abort has no way back: its handler may be all that moves.
      return aborted_ ? escalate(policy, step_ns) : HangAction::none;
    }
    stalled_ns_ += step_ns;
    if (aborted_) return escalate(policy, step_ns);
    if (policy.hard_ns != 0 && stalled_ns_ >= policy.hard_ns) {
      aborted_ = true;
      return HangAction::abort;
    }
    if (activity == WorkerActivity::between_frames) {
      return policy.hard_ns != 0 && stalled_ns_ >= policy.hard_ns / 2 ? HangAction::look : HangAction::none;
    }
    if (policy.soft_ns == 0 || stalled_ns_ < policy.soft_ns || told_slow_) return HangAction::none;
    told_slow_ = true;
    return HangAction::record_slow;
  }

  // It did not get anywhere for the hard limit.
  [[nodiscard]] bool has_hung() const { return aborted_; }
  [[nodiscard]] uint64_t stalled_ns() const { return stalled_ns_; }
  // The last look after which it has moved, if it stands at `beats` now: it was alive then. 0: none is known.
  [[nodiscard]] uint64_t alive_ns(uint64_t beats) const { return seen_ && beats != beats_ ? seen_ns_ : alive_ns_; }

 private:
  HangAction escalate(const HangPolicy& policy, uint64_t step_ns) {
    since_abort_ns_ += step_ns;
    return since_abort_ns_ >= policy.grace_ns ? HangAction::kill : HangAction::none;
  }

  bool seen_ = false;
  uint64_t seen_ns_ = 0;
  uint64_t beats_ = 0;
  uint64_t stalled_ns_ = 0;
  uint64_t alive_ns_ = 0;
  uint64_t since_abort_ns_ = 0;
  bool told_slow_ = false;
  bool aborted_ = false;
};

}  // namespace arenad
