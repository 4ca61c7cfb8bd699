#include "chaos/aim.h"

#include <algorithm>
#include <optional>
#include <time.h>

#include "examples/tanks/vehicle.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

static_assert(kTickPeriodMs * tanks::sim::kTicksPerSecond == 1000);
constexpr uint64_t kTickPeriodNs = kTickPeriodMs * kMillisecond;
constexpr uint64_t kCloseNs = kMillisecond;  // before a tick, from when on nothing else is done
constexpr uint64_t kNapNs = 5 * kMillisecond;

std::optional<Phase> phase_of(Aim aim) {
  switch (aim) {
    case Aim::deciding:
      return Phase::deciding;
    case Aim::applying:
      return Phase::applying;
    case Aim::ticking:
      return Phase::ticking;
    case Aim::publishing:
      return Phase::publishing;
    case Aim::snapshotting:
      return Phase::snapshotting;
    case Aim::any_moment:
    case Aim::into_frame:
    case Aim::frame_decided:
    case Aim::outputs_published:
    case Aim::next_life:
      return std::nullopt;
  }
  return std::nullopt;
}

// The word that says that the moment has come: when it holds this phase, or when it changes.
class Sign {
 public:
  Sign(Aim aim, const WorkerStatus& status) : status_(status), phase_(phase_of(aim)) {
    if (aim == Aim::frame_decided) word_ = &status.frame_decided;
    if (aim == Aim::outputs_published) word_ = &status.outputs_published;
    if (aim == Aim::into_frame) word_ = &status.heartbeat_ns;
    if (word_ != nullptr) before_ = word_->load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_there() const {
    if (phase_) return status_.phase.load(std::memory_order_relaxed) == static_cast<uint32_t>(*phase_);
    return word_ == nullptr || word_->load(std::memory_order_relaxed) != before_;
  }

 private:
  const WorkerStatus& status_;
  std::optional<Phase> phase_;
  const std::atomic<uint64_t>* word_ = nullptr;
  uint64_t before_ = 0;
};

void sleep_until(uint64_t monotonic) {
  const timespec time{static_cast<time_t>(monotonic / kSecond), static_cast<long>(monotonic % kSecond)};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

void spin_until(uint64_t monotonic) {
  while (monotonic_ns() < monotonic) {
  }
}

void nap_until(uint64_t monotonic, const std::function<void()>& keep_up) {
  for (uint64_t now = monotonic_ns(); now < monotonic; now = monotonic_ns()) {
    keep_up();
    sleep_until(std::min(monotonic, now + kNapNs));
  }
}

// The time from which on the worker may begin its next frame.
uint64_t next_frame_ns(const WorkerStatus& status) {
  return status.heartbeat_ns.load(std::memory_order_relaxed) + kTickPeriodNs - kCloseNs;
}

uint64_t mean_frame_ns(const WorkerStatus& status) {
  const uint64_t frames = status.frames.load(std::memory_order_relaxed);
  return frames == 0 ? kMillisecond : status.frame_ns_total.load(std::memory_order_relaxed) / frames;
}

}  // namespace

Aim choose_aim(AimAt at, Random& random) {
  switch (at) {
    case AimAt::any_moment:
      return Aim::any_moment;
    case AimAt::everything:
      return static_cast<Aim>(random.below(static_cast<uint64_t>(kLastAim) + 1));
  }
  return Aim::any_moment;
}

void await_moment(Aim aim, const WorkerStatus& status, Random& random, uint64_t deadline_ns,
                  const std::function<void()>& keep_up) {
  // The run wakes up when arenas tick, so without this all kills would be made in the same part of a tick.
  if (aim == Aim::any_moment) return nap_until(std::min(deadline_ns, monotonic_ns() + random.below(kTickPeriodNs)), keep_up);
  const Sign sign(aim, status);
  // A snapshot begins where a frame ends, so for all signs but the heartbeat of a dead worker there is a frame to wait for.
  for (uint64_t now = monotonic_ns(); !sign.is_there() && now < deadline_ns; now = monotonic_ns()) {
    const uint64_t close_ns = std::min(next_frame_ns(status), deadline_ns);
    if (now >= close_ns) continue;
    keep_up();
    sleep_until(std::min(close_ns, now + kNapNs));
  }
  if (aim == Aim::into_frame) spin_until(std::min(deadline_ns, monotonic_ns() + random.below(2 * mean_frame_ns(status) + 1)));
}

}  // namespace arenad::chaos
