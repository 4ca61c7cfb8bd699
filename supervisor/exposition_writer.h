// Writes what prometheus-cpp's model holds as text. The library's own TextSerializer puts each character of a label into a stream of its own
// accord and prints doubles with 17 digits: two thirds of what a scrape costs.
#pragma once

#include <prometheus/serializer.h>

namespace arenad {

// Counters, gauges and histograms. A family of another type is a mistake of the caller's.
// Format: Prometheus text exposition 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/
class ExpositionWriter : public prometheus::Serializer {
 public:
  [[nodiscard]] std::string Serialize(const std::vector<prometheus::MetricFamily>& families) const override;
  void Serialize(std::ostream& out, const std::vector<prometheus::MetricFamily>& families) const override;
};

}  // namespace arenad
