// One chaos run from its stage to what is left of it: sets the stage in a folder, plays the plan with all checkers looking on, has arenad and
// its keeper end in order, and looks at what is left.
#pragma once

#include <filesystem>

#include "chaos/chaos_run.h"

namespace arenad::chaos {

struct PlayOptions {
  // One that ends at the first violation ends everything at once.
  Until until = Until::the_end;
  uint64_t patience_ms = 60'000;
  std::function<void(size_t over, size_t all)> on_progress;
  std::function<const Step*()> next_step;  // as in ChaosRun
};

// This process must be a reaper (litter.h). What goes wrong is a violation; an error: no run could begin. The outcomes point into the plan.
Result<void> play_plan(const std::filesystem::path& folder, const Plan& plan, StopSignals& signals, const PlayOptions& options,
                       ChaosFindings& findings);

// Invariants that this plan could have shown, and that were never looked at.
std::vector<Invariant> not_shown(const Plan& plan, const ChaosFindings& findings);

}  // namespace arenad::chaos
