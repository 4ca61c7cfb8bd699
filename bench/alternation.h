// What something costs that can be turned on and off: times with it and times without it alternate, so that whatever else goes on on the
// machine falls on both, and each pair of them gives one ratio of how much a client and a worker get done that work as fast as they can.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/bench_player.h"

namespace arenad::bench {

struct Alternation {
  std::vector<double> ratios;   // events with it, by events without it: one of each pair
  std::vector<double> without;  // events a second

  // How much less gets done with it: the median of all pairs, and the bounds of their middle half.
  [[nodiscard]] double cost_percent() const;
  [[nodiscard]] double cost_percent_low() const;
  [[nodiscard]] double cost_percent_high() const;
};

// turn: called with true before each time with it, and with false before each without. meanwhile: called about every 64 events, of both.
Result<Alternation> alternate(BenchPlayer& player, uint64_t pairs, double seconds,
                              const std::function<Result<void>(bool on)>& turn,
                              const std::function<Result<void>(bool on)>& meanwhile = nullptr);

}  // namespace arenad::bench
