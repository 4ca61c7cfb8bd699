// Buckets for durations: exact up to 15, then eight to each doubling, so a value is known to within 12.5 %. Pure arithmetic on
// an index; where the counters lie is the user's affair (a worker keeps its in shared memory).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace arenad {

constexpr size_t kHistogramBuckets = 16 + 28 * 8;  // up to 2^32 - 1

constexpr size_t histogram_bucket(uint64_t value) {
  if (value < 16) return static_cast<size_t>(value);
  if (value > UINT32_MAX) return kHistogramBuckets - 1;
  const auto octave = static_cast<size_t>(std::bit_width(value)) - 5;  // 16..31 is octave 0
  return 16 + octave * 8 + ((value >> (octave + 1)) & 7);
}

// The smallest value that the bucket after this one counts, minus one: the largest value in this bucket.
constexpr uint64_t histogram_upper(size_t bucket) {
  if (bucket < 16) return bucket;
  const size_t octave = (bucket - 16) / 8;
  const uint64_t within = (bucket - 16) % 8;
  return ((8 + within + 1) << (octave + 1)) - 1;
}

// The value below or at which the given fraction of the counted values lies; 0 if there are none.
template <class Counts>
uint64_t histogram_quantile(const Counts& counts, double fraction) {
  uint64_t total = 0;
  for (size_t i = 0; i < kHistogramBuckets; ++i) total += counts[i];
  if (total == 0) return 0;
  const auto rank = static_cast<uint64_t>(fraction * static_cast<double>(total - 1));
  uint64_t seen = 0;
  for (size_t i = 0; i < kHistogramBuckets; ++i) {
    seen += counts[i];
    if (seen > rank) return histogram_upper(i);
  }
  return histogram_upper(kHistogramBuckets - 1);
}

}  // namespace arenad
