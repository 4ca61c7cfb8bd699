// What a run comes to that kills arenad, and what arenad grows by: in numbers, for a reader, and for JSON. Pure but for tally_daemon().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "chaos/daemon_killer.h"
#include "chaos/durations.h"
#include "chaos/gauge.h"

namespace arenad::chaos {

struct DaemonTally {
  uint64_t kills = 0;                         // of arenad
  std::array<uint64_t, kCompanies> rounds{};  // by Company
  uint64_t workers_changed = 0;
  Durations to_answer{{}};  // from a kill to the next arenad that answers, which has taken over everything
  Durations all_back{{}};   // from a kill of everything to the last arena's first new frame
  Lateness absences;
  Lateness quiet_times;
  std::vector<std::string> notes;
};

struct Growth {
  bool measured = false;
  double rss_kib_per_1000 = 0;   // kills
  double heap_kib_per_1000 = 0;  // of that, without what is shared
  uint64_t rss_kib = 0;          // at the end
  size_t samples = 0;
  uint64_t warm_up = 0;  // kills before the first of them
  int64_t fds = 0;
  uint64_t fds_at_end = 0;
};

DaemonTally tally_daemon(const DaemonKiller& daemon_killer, const Killer& killer);
Growth tally_growth(const Gauge& gauge);

// Lines for a reader; empty if there is nothing to be said.
std::string daemon_text(const DaemonTally& tally);
std::string growth_text(const Growth& growth);
// Members of a JSON object, each with a comma before it.
std::string daemon_json(const DaemonTally& tally);
std::string growth_json(const Growth& growth);

}  // namespace arenad::chaos
