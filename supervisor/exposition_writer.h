// Writes what prometheus-cpp's model holds as text. The library's own TextSerializer puts each character of a label into a stream by
// itself and prints doubles by printf: half of what a scrape cost (docs/decisions.md, 74).
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
