// How long the next arenad takes to take over many arenas: rounds of SIGKILL to arenad alone, each until the next one answers and says
// that every arena runs, in the same process and epoch as before.
#pragma once

#include <filesystem>

#include "chaos/durations.h"
#include "chaos/findings.h"
#include "chaos/programs.h"
#include "chaos/stop_signals.h"

namespace arenad::chaos {

struct AdoptionOptions {
  size_t arenas = 100;
  uint64_t rounds = 200;
};

struct AdoptionSummary {
  Durations to_adopted{{}};
  uint64_t rounds = 0;
  uint64_t workers_changed = 0;  // that were not the same afterwards
  bool cut_short = false;
  Findings findings;
};

AdoptionSummary run_adoption(const AdoptionOptions& options, const Programs& programs, const std::filesystem::path& folder,
                             StopSignals& signals);
std::string adoption_json(const AdoptionSummary& summary);

}  // namespace arenad::chaos
