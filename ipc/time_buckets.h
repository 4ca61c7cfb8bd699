// Few buckets for durations, at the bounds that Prometheus' histograms of arenas have. histogram.h is finer and eight times as long: it is for
// quantiles of one arena, these are for sums over thousands of arenas that are read at every scrape.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace arenad {

// The largest duration that each bucket but the last counts. They never change: a counter of another program may lie in the same place.
constexpr std::array<uint64_t, 15> kTimeBoundsNs{50'000,      100'000,     250'000,     500'000,       1'000'000,
                                                 2'500'000,   5'000'000,   10'000'000,  25'000'000,    50'000'000,
                                                 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000};
constexpr size_t kTimeBuckets = kTimeBoundsNs.size() + 1;

// Of values with so many significant bits: how many bounds are below all of them. There is at most one among them.
constexpr auto kBoundsBelow = [] {
  std::array<uint8_t, 65> below{};
  for (size_t bits = 1; bits < below.size(); ++bits) {
    const uint64_t smallest = uint64_t{1} << (bits - 1);
    below[bits] = static_cast<uint8_t>(std::ranges::lower_bound(kTimeBoundsNs, smallest) - kTimeBoundsNs.begin());
  }
  return below;
}();
static_assert([] {
  for (size_t i = 1; i < kTimeBoundsNs.size(); ++i) {
    if (std::bit_width(kTimeBoundsNs[i - 1]) == std::bit_width(kTimeBoundsNs[i])) return false;
  }
  return true;
}());

// Without a branch that could be guessed wrongly: it is part of every frame.
constexpr size_t time_bucket(uint64_t ns) {
  const size_t below = kBoundsBelow[static_cast<size_t>(std::bit_width(ns))];
  return below +
         static_cast<size_t>(below < kTimeBoundsNs.size() && ns > kTimeBoundsNs[std::min(below, kTimeBoundsNs.size() - 1)]);
}

}  // namespace arenad
