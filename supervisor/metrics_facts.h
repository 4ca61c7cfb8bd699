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
  uint64_t refused_records = 0;
  uint64_t unawaited_batches = 0;
};

// Processor time of workers as it was read, and what it adds up to, so that no sum goes back when a worker ends. What one takes after the last
// reading before its end is not in it.
class CpuTimes {
 public:
  struct Reading {
    pid_t pid = 0;
    uint64_t ns = 0;  // since it was forked
    std::string game;
    std::string arena;  // empty: one without series of its own
  };
  // Of all that are there.
  void read(const std::vector<Reading>& now);
  // Of an arena whose series has ended.
  template <class Keep>
  void forget_arenas_but(Keep&& keep) {
    std::erase_if(arenas_, [&](const auto& arena) { return !keep(arena.first); });
  }
  [[nodiscard]] uint64_t of_game(const std::string& game) const { return value_of(games_, game); }
  [[nodiscard]] uint64_t of_arena(const std::string& name) const { return value_of(arenas_, name); }

 private:
  template <class Map, class Key>
  static uint64_t value_of(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? 0 : found->second;
  }

  std::map<pid_t, uint64_t> workers_;  // as each was read last
  std::map<std::string, uint64_t> games_;
  std::map<std::string, uint64_t> arenas_;
};

struct MetricsFacts {
  std::string version;
  double started_unix_s = 0;
  std::map<std::string, GameMetrics> games;
  std::vector<ArenaMetrics> arenas;  // those with series of their own
  CpuTimes cpu;                      // as it was read last; whoever makes the text reads it anew
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
