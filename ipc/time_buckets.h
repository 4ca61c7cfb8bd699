// Few buckets for durations, at the bounds that Prometheus' histograms of arenas have. histogram.h is finer and eight times as long: it is for
// quantiles of one arena, these are for sums over thousands of arenas that are read at every scrape.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace arenad {

// The largest duration that each bucket but the last counts. They never change: a counter of another program may lie in the same place.
constexpr std::array<uint64_t, 15> kTimeBoundsNs{50'000,      100'000,     250'000,     500'000,       1'000'000,
                                                 2'500'000,   5'000'000,   10'000'000,  25'000'000,    50'000'000,
                                                 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000};
constexpr size_t kTimeBuckets = kTimeBoundsNs.size() + 1;

constexpr size_t time_bucket(uint64_t ns) {
  return static_cast<size_t>(std::ranges::lower_bound(kTimeBoundsNs, ns) - kTimeBoundsNs.begin());
}

}  // namespace arenad
