// All that one scrape tells, as plain values: copied on the loop's thread, and made into text on another (metrics_text.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include "supervisor/arena_lifecycle.h"
#include "supervisor/metrics_ledger.h"
#include "supervisor/request_counter.h"

namespace arenad {

constexpr size_t kArenaStates = static_cast<size_t>(ArenaState::lost) + 1;

// As it is now. Of several arenas the sum, or where that means nothing, the worst.
struct ArenaGauges {
  uint64_t snapshot_bytes = 0;
  uint64_t snapshot_age_ns = 0;    // the worst
  uint64_t checkpoint_lag_ns = 0;  // the worst
  uint64_t waiting_bytes = 0;
  uint64_t output_lag_bytes = 0;  // the worst
  uint64_t region_bytes = 0;
  uint64_t quarantined = 0;
  uint64_t clients = 0;
  uint64_t players = 0;

  void add(const ArenaGauges& other);
};

struct ArenaMetrics {
  std::string name;
  std::string game;
  pid_t pid = 0;  // 0: it has no worker
  ArenaGauges gauges;
  ArenaTotals totals;
};

struct GameMetrics {
  std::array<uint64_t, kArenaStates> arenas{};  // by ArenaState
  uint64_t draining = 0;
  uint64_t series_left_out = 0;  // arenas that run and have no series of their own
  uint64_t spares = 0;
  uint64_t rollouts_running = 0;
  uint64_t rollouts_paused = 0;
  std::vector<pid_t> workers;
  ArenaGauges gauges;
  GameTotals totals;
};

struct StoreMetrics {
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  uint64_t skipped_rows = 0;
  uint64_t replacements = 0;
  uint64_t waiting_batches = 0;
  uint64_t failing_ns = 0;  // 0: the last commit succeeded
};

struct MetricsFacts {
  std::string version;
  double started_unix_s = 0;
  std::map<std::string, GameMetrics> games;
  std::vector<ArenaMetrics> arenas;  // those with series of their own
  RequestCounter::Counts requests;
  uint64_t requests_open = 0;
  uint64_t control_connections = 0;
  uint64_t adopted = 0;
  uint64_t set_back = 0;
  StoreMetrics store;
  Durations loop_delay;
  Durations collecting;  // earlier scrapes: how long the loop was held up by each
  Durations rendering;   // and how long the text took, on its own thread
};

}  // namespace arenad
