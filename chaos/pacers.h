// Processes that tick like arenas and do nothing else: how late they are is how late the machine is. What an arena is late at a moment
// when they are on time is not the machine's doing.
//
// Each is a fork that writes what it saw into memory that it shares with this process. They end with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "chaos/child_process.h"

namespace arenad::chaos {

class Pacers {
 public:
  // One for each of these phases of the tick.
  static constexpr size_t kCount = 4;
  // Only while this process has one thread.
  static Result<Pacers> start();

  // The longest that any of them was late with a tick that it waited for at some time between these.
  [[nodiscard]] uint64_t latest_ns(uint64_t from_ns, uint64_t to_ns) const;
  // How many of their ticks in that time were late by more than a tick.
  [[nodiscard]] uint64_t late_ticks(uint64_t from_ns, uint64_t to_ns) const;

 private:
  struct Tick {
    std::atomic<uint64_t> due_ns;
    std::atomic<uint64_t> woke_ns;  // 0: not yet
  };
  static constexpr size_t kTicks = 4096;  // some minutes; windows are looked at when they end
  struct Track {
    std::array<Tick, kTicks> ticks;
  };
  struct Unmap {
    void operator()(std::array<Track, kCount>* tracks) const;
  };
  using Tracks = std::unique_ptr<std::array<Track, kCount>, Unmap>;

  Pacers(Tracks tracks, std::vector<ChildProcess> children) : tracks_(std::move(tracks)), children_(std::move(children)) {}
  static void pace(Track& track, uint64_t first_ns);
  template <class Each>
  void for_each_tick(uint64_t from_ns, uint64_t to_ns, Each&& each) const;

  Tracks tracks_;
  std::vector<ChildProcess> children_;
};

}  // namespace arenad::chaos
