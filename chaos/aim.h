// In which moment of a worker's life it is killed. Moments are places in its work, seen in the status words of its region, and not
// times: so kills land inside frames, which take a thousandth of the time, as often as between them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "chaos/random.h"
#include "ipc/incarnation_layout.h"

namespace arenad::chaos {

constexpr uint64_t kTickPeriodMs = 50;  // of tanks

enum class Aim {
  any_moment,  // a random while from now, up to a tick: mostly it is waiting for its next tick
  into_frame,  // a random while after a frame began, as long as two frames may take
  deciding,    // the phases of a frame
  applying,
  ticking,
  publishing,
  snapshotting,
  frame_decided,      // right after the store that decides a frame
  outputs_published,  // right after the store that publishes its outputs
  next_life,          // any moment, and then its successor too, while it recovers
};
constexpr Aim kLastAim = Aim::next_life;

enum class AimAt {
  any_moment,  // always
  everything,  // each of the moments, equally often
};

Aim choose_aim(AimAt at, Random& random);

// One that may be killed.
struct Target {
  size_t arena = 0;
  const WorkerStatus* status = nullptr;  // of its worker; borrowed
};

// Waits for the moment in whichever target it comes first, and tells which; at the deadline without it, for a moment in a frame, and
// then for none. Nothing if there was no target. targets() gives those that may be killed now; it is asked every few milliseconds, in between frames, and may do
// other things then. Close to a frame nothing is done but looking.
std::optional<size_t> await_moment(Aim aim, Random& random, uint64_t deadline_ns,
                                   const std::function<std::vector<Target>()>& targets);

}  // namespace arenad::chaos
