#include "chaos/sweep/report.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace arenad::sweep {

std::string report_text(const SweepReport& report) {
  struct Sum {
    std::set<size_t> points;
    uint64_t cases = 0, failing = 0;
  };
  std::map<std::string, Sum> sums;
  for (const PointCount& count : report.points) {
    Sum& sum = sums[fmt::format("{} {}", process_of(count.point), to_string(count.pace))];
    sum.points.insert(count.point);
    sum.cases += count.cases;
    sum.failing += count.failing;
  }
  std::string text = "\nprocess              points   runs failing\n";
  for (const auto& [name, sum] : sums)
    text += fmt::format("{:<20} {:>6} {:>6} {:>7}\n", name, sum.points.size(), sum.cases, sum.failing);
  text += fmt::format(
      "\n{} crash points, {} cases of point x process x hit, {} failing; {} with a second fault, {} failing; {} frames "
      "compared, "
      "in {:.0f} s\n",
      kCrashPoints.size(), report.cases, report.failing, report.second_cases, report.second_failing,
      report.runs.frames_compared, report.seconds);
  if (!report.runs.failures.empty()) text += fmt::format("\nwhat is wrong:\n{}\n", fmt::join(report.runs.failures, "\n"));
  if (report.other_failing != 0) text += fmt::format("{} runs failed in which nothing went off\n", report.other_failing);
  if (report.runs.cut_short) text += "cut short\n";
  return text + (report.is_clean() ? "result: ok\n" : "result: failed\n");
}

std::string report_json(const SweepReport& report) {
  return fmt::format(
      "{{\n  \"prove.crash_points\": {},\n  \"prove.crash_points_failing\": {},\n  \"prove.crash_point_names\": {},\n"
      "  \"prove.crash_points_never_reached\": {},\n  \"prove.crash_points_second_faults\": {},\n"
      "  \"prove.crash_points_frames_compared\": {},\n  \"prove.crash_points_seconds\": {:.1f}\n}}\n",
      report.cases, report.runs.failures.size(), kCrashPoints.size(), report.never_reached.size(), report.second_cases,
      report.runs.frames_compared, report.seconds);
}

// ---- calls --------------------------------------------------------------------------------------------------------------

std::string report_text(const CallSweepReport& report) {
  std::string text = "\ncall                         hits   kills  errors lasting failing\n";
  for (const auto& [name, count] : report.calls) {
    text += fmt::format("{:<26} {:>6} {:>7} {:>7} {:>7} {:>7}\n", name, count.hits, count.kills, count.errors, count.lasting,
                        count.failing);
  }
  text += fmt::format(
      "\n{} calls, {} cases of call x process x hit x way, {} failing; {} with a second fault, {} failing; {} frames compared, "
      "in "
      "{:.0f} s\n",
      report.calls.size(), report.cases, report.failing, report.second_cases, report.second_failing,
      report.runs.frames_compared, report.seconds);
  if (!report.runs.failures.empty()) text += fmt::format("\nwhat is wrong:\n{}\n", fmt::join(report.runs.failures, "\n"));
  if (report.other_failing != 0) text += fmt::format("{} runs failed in which no call went wrong\n", report.other_failing);
  if (!report.has_counted) text += "no call was counted: nothing stands before the C library\n";
  for (const std::string& name : report.in_vain) text += name + " never went wrong\n";
  if (report.runs.cut_short) text += "cut short\n";
  if (!report.is_clean()) return text + "result: failed\n";
  return text + (report.is_vacuous() ? "result: vacuous\n" : "result: ok\n");
}

std::string report_json(const CallSweepReport& report) {
  return fmt::format(
      "{{\n  \"prove.calls\": {},\n  \"prove.calls_failing\": {},\n  \"prove.call_names\": {},\n"
      "  \"prove.calls_never_wrong\": {},\n  \"prove.calls_second_faults\": {},\n"
      "  \"prove.calls_frames_compared\": {},\n  \"prove.calls_seconds\": {:.1f}\n}}\n",
      report.cases, report.runs.failures.size(), report.calls.size(), report.in_vain.size(), report.second_cases,
      report.runs.frames_compared, report.seconds);
}

}  // namespace arenad::sweep
