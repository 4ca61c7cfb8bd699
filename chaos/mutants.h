// Planted bugs: each mutant of the real programs (ipc/mutants.h), and the run that catches it. A run is a small plan from a fixed seed that
// must be clean without a mutant and have a violation with it: so every violation in it is the mutant's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chaos/plan.h"

namespace arenad::chaos {

struct NamedRun {
  std::string_view name;
  std::vector<std::string> faults;
  PlanOptions options;
};

struct PlantedMutant {
  std::string_view name;
  std::string_view run;
};

const std::vector<NamedRun>& named_runs();
const NamedRun* find_run(std::string_view name);
// Every mutant there is, in the order of ipc/mutants.h.
const std::vector<PlantedMutant>& planted_mutants();

struct MutantsOptions {
  std::vector<std::string> only;  // mutants whose names fit one of these globs; none: all
  std::string json;               // also writes the figures to this file
};

// The verb `mutants`. Gives the exit code.
int run_mutants(const MutantsOptions& options);

}  // namespace arenad::chaos
