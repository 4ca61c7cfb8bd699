// What a run is asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chaos/aim.h"

namespace arenad::chaos {

enum class Victims {
  workers,
  arenad,      // alone
  everything,  // arenad and all workers, in the same instant
  mixed,       // workers, and arenad alone and in every company
};

// What the run shows beside the game.
enum class Subject { kills, changes_of_code };

struct RunOptions {
  Subject subject = Subject::kills;
  size_t arenas = 8;
  size_t bots = 30;               // in each arena
  double seconds = 30;            // with changes of code: before each of them
  uint64_t kill_every_ms = 1000;  // 0: no kills
  uint64_t kills = 0;             // the run ends after so many; 0: after its time. Of workers, or with other victims of arenad
  Victims victims = Victims::workers;
  bool gauge = false;  // measure what arenad grows by; for a run of so many kills of workers
  AimAt aim = AimAt::any_moment;
  uint64_t seed = 0;
  uint64_t channel_bytes = 256 * 1024;
  std::string json;  // empty: none
  std::vector<std::string> folders;
};

}  // namespace arenad::chaos
