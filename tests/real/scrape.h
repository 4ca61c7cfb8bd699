// What a real arenad tells at /metrics, asked for with curl.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/real/daemon.h"

namespace arenad::test {

class Scrape {
 public:
  // where: what curl is told, beside the path /metrics. Fails the test if there is no answer, or it is none of metrics.
  Scrape(const Daemon& daemon, const std::vector<std::string>& where);
  // At the daemon's own socket.
  explicit Scrape(const Daemon& daemon) : Scrape(daemon, at_socket(daemon)) {}
  static std::vector<std::string> at_socket(const Daemon& daemon);

  // A series as the text has it: `arenad_frames_total{game="echo"}`. -1 if there is none.
  [[nodiscard]] double value(const std::string& series) const;
  [[nodiscard]] double operator[](const std::string& series) const { return value(series); }
  // Of families, without _bucket, _sum and _count of histograms.
  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  [[nodiscard]] const std::map<std::string, double>& series() const { return series_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  // Counters, and what of histograms counts.
  [[nodiscard]] bool is_counter(const std::string& series) const;

 private:
  std::string text_;
  std::map<std::string, double> series_;
  std::set<std::string> names_;
  std::set<std::string> counters_;
};

Finished curl(const Daemon& daemon, std::vector<std::string> arguments);
// A TCP port of 127.0.0.1 that nobody has now.
uint16_t free_port();

}  // namespace arenad::test
