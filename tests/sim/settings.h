// What a seed decides before anything happens.
#pragma once

#include <cstdint>
#include <vector>

#include "chaos/random.h"
#include "supervisor/hang_detector.h"
#include "supervisor/restart_budget.h"

namespace arenad::sim {

// A stream of random numbers for each user, so that a new draw in one place does not move all the others.
enum class Stream { settings, disk, workers, clients, arenad, when, timed, points, damage, operators, game, count_ };

class Draw : public chaos::Random {
 public:
  using Random::Random;
  bool one_in(uint64_t n) { return n != 0 && below(n) == 0; }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
};

enum class OnDivergence { go_on, stop };

struct GameSettings {
  uint64_t tick_ns = 50'000'000;
  uint64_t match_frames = 0;  // 0: it never ends by itself
  bool deterministic = true;
  OnDivergence on_divergence = OnDivergence::go_on;
  uint64_t output_records = 512;
  uint64_t log_records = 64;
  uint64_t channel_records = 48;
  uint64_t snapshot_interval_ns = 500'000'000;
  uint64_t clients = 2;
  uint64_t bad_event_period = 200;  // one in so many events is poison, hangs, is slow or flaky; 0: none
};

// Whom arenad is started by.
enum class Parent { keeper, shell };

struct Settings {
  std::vector<GameSettings> games;  // one for each arena
  Parent parent = Parent::keeper;
  RestartPolicy restart;
  HangPolicy hang;
  uint64_t checkpoint_interval_ns = 1'000'000'000;
  uint64_t adoption_timeout_ns = 2'000'000'000;
  uint64_t reclaim_timeout_ns = 2'000'000'000;
  uint64_t orphan_timeout_ns = 60'000'000'000;
  uint64_t ready_timeout_ns = 10'000'000'000;
  uint64_t stop_timeout_ns = 3'000'000'000;
  uint64_t faults_end_ns = 12'000'000'000;
  uint64_t point_period = 300;  // one in so many steps of workers meets a fault; 0: none
  uint64_t arenad_point_period = 100;
  uint64_t timed_mean_ns = 700'000'000;  // between faults at any time
  uint64_t damage_in_8 = 2;              // so many of eight deaths come with damaged memory
  bool power_cuts = false;
  static Settings draw(uint64_t seed);
};

}  // namespace arenad::sim
