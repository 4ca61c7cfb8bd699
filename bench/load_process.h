// A process full of players: each sends an order a tick to its tanks arena. Of each arena, one player reads the outputs.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "arenad/result.h"

namespace arenad::bench {

constexpr uint32_t kPlayersPerArena = 30;
constexpr uint64_t kOrdersPerSecond = 20;  // of each player

// Counted by all load processes together.
struct LoadProgress {
  std::atomic<uint64_t> attached;
  std::atomic<uint64_t> sent;
  std::atomic<uint64_t> full;  // orders that were not sent because a channel was full
  std::atomic<uint64_t> outputs;
  std::atomic<uint64_t> lagged;
  std::atomic<uint64_t> late;  // turns that were left out because the process could not keep up
};

struct LoadOptions {
  std::string socket;
  std::vector<std::string> arenas;
  uint64_t channel_bytes;
  uint64_t seed;
};

// Attaches all players and plays until it is killed; returns only if something goes wrong.
Result<void> play_load(const LoadOptions& options, LoadProgress& progress);

}  // namespace arenad::bench
