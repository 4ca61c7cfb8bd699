// One chaos run from beginning to end, as `arena-chaos run` and `replay` do it: sets the stage, plays, takes everything down, judges, and
// leaves reports, and after a failure a bundle.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "chaos/plan.h"
#include "chaos/run_record.h"

namespace arenad::chaos {

struct RunRequest {
  Plan plan;
  // Of a run that goes on for a time: steps are made from these as long as it does; the plan has none then.
  uint64_t duration_s = 0;  // 0: it plays its plan
  PlanOptions making;
  std::vector<std::string> faults;
  std::filesystem::path report;                              // folder for the reports; empty: none
  std::string json;                                          // file for the figures; empty: none
  std::vector<std::pair<std::string, std::string>> options;  // as they stand in the reports
  std::string again;                                         // the command that plays the same
  std::string namespaces;                                    // that it plays in (private_namespaces.h)
};

// Says on standard output how far it is, and at its end what came of it. An error: files could not be written.
Result<RunRecord> run_chaos(RunRequest request);

}  // namespace arenad::chaos
