// Of a death and the recovery from it: what took how long. Pure.
//
//   last sign of life ··detect·· notice ··start·· a successor is assigned ··load·· its state is loaded ··replay·· it decides frames
//
// The kernel does not tell when a process ended, so "detect" begins with what is known to have been before the death, and is no
// less than what has really passed without notice. The other three follow each other without a gap: their sum is the time of the
// recovery.
//
// All moments are of CLOCK_MONOTONIC, which is the machine's; 0: not known. Those that a worker has written are not believed when they
// cannot be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace arenad {

enum class LastSign {
  unknown,
  note,      // its note of a fatal signal, or of an exit
  frame,     // a frame began
  seen,      // arenad saw it move
  struck,    // arenad ended it, or sent it a signal for an operator
  assigned,  // it got its arena
};

struct SignOfLife {
  LastSign what = LastSign::unknown;
  uint64_t at_ns = 0;
};

// The latest of them that is not later than the notice of the death; unknown if there is none.
inline SignOfLife last_of(std::initializer_list<SignOfLife> signs, uint64_t heard_ns) {
  SignOfLife last;
  for (const SignOfLife& sign : signs) {
    if (sign.at_ns > last.at_ns && sign.at_ns <= heard_ns) last = sign;
  }
  return last;
}

struct RecoveryMoments {
  uint64_t heard_ns = 0;     // of the death
  uint64_t assigned_ns = 0;  // to a successor
  uint64_t loaded_ns = 0;    // as the successor says
  uint64_t live_ns = 0;
};

struct RecoveryTimes {
  uint64_t start_ns = 0;
  // Nothing: it does not say when the state was loaded, or says what cannot be.
  struct Parts {
    uint64_t load_ns = 0;
    uint64_t replay_ns = 0;
  };
  std::optional<Parts> parts;
  uint64_t total_ns = 0;
};

inline RecoveryTimes times_of(const RecoveryMoments& moments) {
  RecoveryTimes times;
  times.total_ns = moments.live_ns - std::min(moments.heard_ns, moments.live_ns);
  const uint64_t assigned_ns = std::clamp(moments.assigned_ns, std::min(moments.heard_ns, moments.live_ns), moments.live_ns);
  times.start_ns = assigned_ns - std::min(moments.heard_ns, assigned_ns);
  if (moments.loaded_ns < assigned_ns || moments.loaded_ns > moments.live_ns) return times;
  times.parts = {moments.loaded_ns - assigned_ns, moments.live_ns - moments.loaded_ns};
  return times;
}

}  // namespace arenad
