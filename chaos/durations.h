// Durations in milliseconds, by nearest rank; 0 if there are none. Pure.
#pragma once

#include <string>
#include <vector>

namespace arenad::chaos {

struct Durations {
  explicit Durations(std::vector<double> milliseconds);
  [[nodiscard]] double quantile(double fraction) const;
  [[nodiscard]] double max() const { return quantile(1); }
  [[nodiscard]] std::string text() const;
  std::vector<double> sorted;
};

}  // namespace arenad::chaos
