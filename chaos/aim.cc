#include "chaos/aim.h"

#include <algorithm>
#include <time.h>

#include "examples/tanks/vehicle.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

static_assert(kTickPeriodMs * tanks::sim::kTicksPerSecond == 1000);
constexpr uint64_t kTickPeriodNs = kTickPeriodMs * kMillisecond;
constexpr uint64_t kCloseNs = 300'000;  // before a tick, from when on nothing else is done
constexpr uint64_t kNapNs = 5 * kMillisecond;
constexpr uint64_t kLongestGazeNs = 5 * kMillisecond;  // a frame that takes longer is not waited for without a pause

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

// One worker, watched. The word that says that the moment has come holds the phase, or changes.
class Sight {
 public:
  Sight(Aim aim, Target target) : target_(target), phase_(phase_of(aim)) {
    const WorkerStatus& status = *target.status;
    if (aim == Aim::frame_decided) word_ = &status.frame_decided;
    if (aim == Aim::outputs_published) word_ = &status.outputs_published;
    if (aim == Aim::into_frame) word_ = &status.heartbeat_ns;
    if (word_ != nullptr) before_ = word_->load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool has_come() const {
    if (phase_) return phase() == *phase_;
    return word_ == nullptr || word_->load(std::memory_order_relaxed) != before_;
  }
  // From when on it may come; at once while a frame is going on.
  [[nodiscard]] uint64_t near_ns() const {
    if (phase() != Phase::waiting) return 0;
    return target_.status->heartbeat_ns.load(std::memory_order_relaxed) + kTickPeriodNs - kCloseNs;
  }
  [[nodiscard]] const Target& target() const { return target_; }

 private:
  [[nodiscard]] Phase phase() const { return static_cast<Phase>(target_.status->phase.load(std::memory_order_relaxed)); }
  Target target_;
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

uint64_t nearest_ns(const std::vector<Sight>& sights) {
  uint64_t nearest = UINT64_MAX;
  for (const Sight& sight : sights) nearest = std::min(nearest, sight.near_ns());
  return nearest;
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

std::optional<size_t> await_moment(Aim aim, Random& random, uint64_t deadline_ns,
                                   const std::function<std::vector<Target>()>& targets) {
  if (aim == Aim::any_moment || aim == Aim::next_life) {
    // The run wakes up when arenas tick, so without this all kills would be made in the same part of a tick.
    deadline_ns = std::min(deadline_ns, monotonic_ns() + random.below(kTickPeriodNs));
  }
  for (;;) {
    std::vector<Sight> sights;
    for (const Target& target : targets()) sights.emplace_back(aim, target);
    uint64_t now = monotonic_ns();
    if (now >= deadline_ns && phase_of(aim)) {
      // Some phases are so short that they are seldom seen; then anywhere in a frame is better than between frames.
      aim = Aim::into_frame;
      deadline_ns = now + 2 * kTickPeriodNs;
      continue;
    }
    if (now >= deadline_ns) {
      if (sights.empty()) return std::nullopt;
      return sights[random.below(sights.size())].target().arena;
    }
    const bool by_time = aim == Aim::any_moment || aim == Aim::next_life;
    const uint64_t gaze_end_ns = now + kLongestGazeNs;
    for (; !by_time && now < gaze_end_ns && now >= nearest_ns(sights); now = monotonic_ns()) {
      const auto come = std::find_if(sights.begin(), sights.end(), [](const Sight& sight) { return sight.has_come(); });
      if (come == sights.end()) continue;
      if (aim == Aim::into_frame) spin_until(now + random.below(2 * mean_frame_ns(*come->target().status) + 1));
      return come->target().arena;
    }
    const uint64_t wake_ns = std::min({now + kNapNs, deadline_ns, by_time ? UINT64_MAX : nearest_ns(sights)});
    if (wake_ns > now) sleep_until(wake_ns);
  }
}

}  // namespace arenad::chaos
