// One arena's change of code, as far as it has come. Pure bookkeeping; arena_handover.cc carries it out.
//
//   finishing    the old worker is told to finish a frame, with a snapshot of it
//     | it has; if it dies instead, it is recovered with the old code and told again, kTries times in all
//   loading      a worker of the new code begins with that snapshot
//     | it is live; if it dies, refuses or takes too long, the old code goes on from the same snapshot
//   probation    frames run. Both regions are kept, and nothing goes to the database
//     | time and frames are over: passed; if it dies, the old code begins with the old snapshot and runs all frames since again
//   taking_back  until that is live
#pragma once

#include <algorithm>
#include <cstdint>

#include "arenad/ids.h"

namespace arenad {

struct Probation {
  uint64_t ns = 5'000'000'000;
  uint64_t frames = 100;  // of a game without ticks: one, and if nobody gives it one to run, ten times the time does
};

// Until it is known how long it lasts.
inline constexpr Probation kOpenProbation{UINT64_MAX, UINT64_MAX};

class Handover {
 public:
  enum class Step { finishing, loading, probation, taking_back };
  static constexpr uint32_t kTries = 3;

  explicit Handover(const Probation& probation) : probation_(probation) {}
  // One that another process had: on probation.
  Handover(const Probation& probation, uint64_t live_ns, FrameNumber from) : Handover(probation) { live(live_ns, from); }

  [[nodiscard]] Step step() const { return step_; }
  // The old worker died while it was to finish: whether to ask its successor.
  bool try_again() { return ++tries_ < kTries; }
  void finished() { step_ = Step::loading; }
  void live(uint64_t now_ns, FrameNumber frame) {
    step_ = Step::probation;
    live_ns_ = now_ns;
    from_ = frame;
  }
  void take_back() { step_ = Step::taking_back; }
  [[nodiscard]] const Probation& probation() const { return probation_; }
  [[nodiscard]] uint64_t live_ns() const { return live_ns_; }
  void set_probation(const Probation& probation) { probation_ = probation; }
  [[nodiscard]] bool is_open() const { return step_ == Step::probation && probation_.ns == kOpenProbation.ns; }
  // The last frame of the old code.
  [[nodiscard]] FrameNumber from() const { return from_; }
  [[nodiscard]] bool passes(uint64_t now_ns, FrameNumber done, uint32_t tick_hz) const {
    if (step_ != Step::probation || now_ns < live_ns_ || now_ns - live_ns_ < probation_.ns) return false;
    const uint64_t frames = done >= from_ ? done.value - from_.value : 0;
    if (tick_hz != 0) return frames >= probation_.frames;
    return frames >= std::min<uint64_t>(probation_.frames, 1) || (now_ns - live_ns_) / 10 >= probation_.ns;
  }

 private:
  Probation probation_;
  Step step_ = Step::finishing;
  uint32_t tries_ = 0;
  uint64_t live_ns_ = 0;
  FrameNumber from_;
};

}  // namespace arenad
