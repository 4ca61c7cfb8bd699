// Tanks arenas with 30 players each, for as long as it is measured; and what their workers say of it.
//
// A few processes hold the players (load_process.h). Lateness is what the workers themselves count, over the measured time only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/benchmark.h"
#include "bench/daemon.h"
#include "ipc/incarnation_layout.h"

namespace arenad::bench {

struct CrowdOptions {
  Daemon::Options daemon;
  uint64_t arenas = 0;
  uint64_t load_processes = 0;
  double seconds = 0;
};

// All arenas together, over the measured time.
struct CrowdFacts {
  double seconds = 0;
  uint64_t running = 0;  // made at least 95 % of their ticks, and took at least 95 % of their players' inputs
  uint64_t frames = 0;
  uint64_t events = 0;
  std::array<uint64_t, kHistogramBuckets> lateness_us{};
  // Of some of the workers, at the end.
  std::vector<double> private_mib;
  std::vector<double> shared_percent;            // of the pages that their template has loaded
  std::vector<double> shared_anonymous_percent;  // of those of them that are of no file
};

Result<CrowdFacts> play_crowd(const Conditions& conditions, const CrowdOptions& options);

// Of its lateness, in milliseconds.
double late_ms(const CrowdFacts& facts, double fraction);

}  // namespace arenad::bench
