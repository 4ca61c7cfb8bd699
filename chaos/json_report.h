// A run as JSON: whole, as one flat object of figures, and what happened as JSON lines. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "chaos/run_record.h"

namespace arenad::chaos {

constexpr int kReportSchema = 1;

std::string json_report(const RunRecord& record);
// Figures by name: chaos.violations, chaos.fault_kinds_fired and so on.
std::string json_figures(const RunRecord& record);
// A line for each fault, new worker, new arenad and violation, in the order in which they were.
std::string history_lines(const RunRecord& record);

// What a run came to, as a report says it: enough to tell whether another one is like it.
struct ReportedVerdict {
  std::string verdict;
  std::set<std::string> violated;  // invariants, by name
  bool operator==(const ReportedVerdict&) const = default;
};
ReportedVerdict reported(const RunRecord& record);
// An error says why the text is not a report of this schema.
Result<ReportedVerdict> reported_in(std::string_view json);

}  // namespace arenad::chaos
