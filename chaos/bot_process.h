// One client in a process of its own: a player that is a program. It attaches to its arena, plays, writes down what it sends and
// receives (client_log.h), and goes on receiving until the arena is gone.
//
//   attached --told to stop--> quiet --the arena is gone--> finished
//       '------------------the arena is gone-------------------^
#pragma once

#include <cstdint>
#include <string>

namespace arenad::chaos {

struct BotOptions {
  std::string socket;
  std::string arena;
  std::string player;
  std::string log;
  uint64_t seed = 0;
  uint64_t channel_bytes = 256 * 1024;
};

// The link to the run is descriptor kLinkDescriptor. Returns the exit code.
int run_bot(const BotOptions& options);

}  // namespace arenad::chaos
