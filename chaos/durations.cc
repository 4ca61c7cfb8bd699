#include "chaos/durations.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace arenad::chaos {

Durations::Durations(std::vector<double> milliseconds) : sorted(std::move(milliseconds)) {
  std::sort(sorted.begin(), sorted.end());
}

double Durations::quantile(double fraction) const {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

std::string Durations::text() const {
  if (sorted.empty()) return "none was timed";
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms", quantile(0.5), quantile(0.99), max());
}

}  // namespace arenad::chaos
