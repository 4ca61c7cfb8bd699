// Quantiles of a handful of samples: the smallest value that at least the given fraction of them does not exceed. Not of none.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "arenad/result.h"

namespace arenad::bench {

inline double quantile(std::vector<double> samples, double fraction) {
  ARENAD_ASSERT(!samples.empty());
  std::ranges::sort(samples);
  const auto rank = static_cast<size_t>(std::ceil(fraction * static_cast<double>(samples.size())));
  return samples[std::clamp<size_t>(rank, 1, samples.size()) - 1];
}

inline double median(std::vector<double> samples) {
  return quantile(std::move(samples), 0.5);
}

}  // namespace arenad::bench
