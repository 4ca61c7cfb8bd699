#include "chaos/pacers.h"

#include <algorithm>
#include <csignal>
#include <new>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "chaos/aim.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kPeriodNs = kTickPeriodMs * kMillisecond;

}  // namespace

void Pacers::Unmap::operator()(std::array<Track, kCount>* tracks) const {
  ::munmap(tracks, sizeof *tracks);
}

Result<Pacers> Pacers::start() {
  using All = std::array<Track, kCount>;
  void* memory = ::mmap(nullptr, sizeof(All), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno_error("cannot map shared memory");
  Tracks tracks(new (memory) All{});
  std::vector<ChildProcess> children;
  const uint64_t begin_ns = monotonic_ns();
  for (size_t i = 0; i < kCount; ++i) {
    auto child = ChildProcess::fork_for(
        [track = &(*tracks)[i], first_ns = begin_ns + (i + 1) * kPeriodNs / kCount] { pace(*track, first_ns); });
    if (!child) return child.error();
    children.push_back(std::move(*child));
  }
  return Pacers(std::move(tracks), std::move(children));
}

void Pacers::pace(Track& track, uint64_t first_ns) {
  uint64_t due_ns = first_ns;
  for (size_t i = 0;; i = (i + 1) % kTicks) {
    Tick& tick = track.ticks[i];
    tick.woke_ns.store(0, std::memory_order_relaxed);
    tick.due_ns.store(due_ns, std::memory_order_release);
    const timespec time{static_cast<time_t>(due_ns / kSecond), static_cast<long>(due_ns % kSecond)};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
    const uint64_t now = monotonic_ns();
    tick.woke_ns.store(now, std::memory_order_release);
    // As arenas do it: a late tick does not move the next one, one that is late by many begins anew.
    due_ns = now > due_ns + 4 * kPeriodNs ? now + kPeriodNs : due_ns + kPeriodNs;
  }
}

template <class Each>
void Pacers::for_each_tick(uint64_t from_ns, uint64_t to_ns, Each&& each) const {
  for (const Track& track : *tracks_) {
    for (const Tick& tick : track.ticks) {
      const uint64_t due_ns = tick.due_ns.load(std::memory_order_acquire);
      uint64_t woke_ns = tick.woke_ns.load(std::memory_order_acquire);
      if (woke_ns == 0) woke_ns = std::max(due_ns, to_ns);  // waits still
      if (due_ns == 0 || due_ns > to_ns || woke_ns < from_ns) continue;
      each(woke_ns > due_ns ? woke_ns - due_ns : 0);
    }
  }
}

uint64_t Pacers::latest_ns(uint64_t from_ns, uint64_t to_ns) const {
  uint64_t latest = 0;
  for_each_tick(from_ns, to_ns, [&](uint64_t late_ns) { latest = std::max(latest, late_ns); });
  return latest;
}

uint64_t Pacers::late_ticks(uint64_t from_ns, uint64_t to_ns) const {
  uint64_t count = 0;
  for_each_tick(from_ns, to_ns, [&](uint64_t late_ns) { count += late_ns > kPeriodNs ? 1 : 0; });
  return count;
}

}  // namespace arenad::chaos
