// What a failed run is explained from and played again with, in a folder of its own:
//
//   plan.json      the plan, also of a run that made its steps while it ran
//   report.json    what was found (json_report.h)
//   history.jsonl  faults, replaced workers and arenads, and violations, in their order
//   stage/         the run's private folder as it was left: configuration, logs, database
#pragma once

#include <filesystem>

#include "chaos/json_report.h"
#include "chaos/run_record.h"

namespace arenad::chaos {

// In `under`, by the seed; beside one that is there already. Sets record.bundle to it.
Result<void> write_bundle(const std::filesystem::path& under, const std::filesystem::path& stage_folder, RunRecord& record);

struct Bundle {
  Plan plan;
  ReportedVerdict verdict;
};
Result<Bundle> read_bundle(const std::filesystem::path& folder);

}  // namespace arenad::chaos
