#include "chaos/run_text.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace arenad::chaos {
namespace {

constexpr size_t kBarCells = 20;

std::string bar(double share) {
  const auto full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kBarCells);
  return "[" + std::string(full, '#') + std::string(kBarCells - full, '.') + "]";
}

std::string invariants_table(const RunRecord& record) {
  std::string text = fmt::format("{:<11} {:>12} {:>10}\n", "INVARIANT", "LOOKED AT", "VIOLATED");
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    const uint64_t looked_at = record.invariants.looked_at(invariant);
    const uint64_t violated = record.invariants.violations(invariant);
    const char* remark = violated != 0 ? "  VIOLATED" : looked_at == 0 ? "  not looked at" : "";
    text += fmt::format("{:<11} {:>12} {:>10}{}\n", name_of(invariant), looked_at, violated, remark);
  }
  return text;
}

std::string faults_table(const RunRecord& record) {
  size_t width = 5;
  for (const KindRecord& kind : record.kinds) width = std::max(width, kind.name.size());
  std::string text = fmt::format("{:<{}} {:>8} {:>8} {:>10} {:>10} {:>10}\n", "FAULT", width, "PLANNED", "FIRED", "RECOVERED",
                                 "P50 MS", "MAX MS");
  for (const KindRecord& kind : record.kinds) {
    std::string remark;
    if (kind.is_not_run()) remark = "  not run: " + kind.why_not;
    if (kind.fired == 0 && !kind.is_not_run()) remark = "  NEVER THERE" + (kind.why_not.empty() ? "" : ": " + kind.why_not);
    text += fmt::format("{:<{}} {:>8} {:>8} {:>10} {:>10.1f} {:>10.1f}{}\n", kind.name, width, kind.planned, kind.fired,
                        kind.recovered, kind.took.quantile(0.5), kind.took.max(), remark);
  }
  return text;
}

std::string parts_table(const RecoveryParts& parts) {
  std::string text = fmt::format("{:<11} {:>8} {:>10} {:>10} {:>10}\n", "OF A DEATH", "TIMES", "P50 MS", "P99 MS", "MAX MS");
  for (const NamedPart& part : kNamedParts) {
    const Durations& took = parts.*part.durations;
    text += fmt::format("{:<11} {:>8} {:>10.2f} {:>10.2f} {:>10.2f}\n", part.name, took.sorted.size(), took.quantile(0.5),
                        took.quantile(0.99), took.max());
  }
  return text;
}

std::string violations_list(const RunRecord& record) {
  std::string text;
  for (const Violation& violation : record.invariants.kept()) {
    text += fmt::format("violation of {} at {:.3f} s{}{}: {}\n", name_of(violation.invariant),
                        static_cast<double>(violation.at_ms) / 1000, violation.arena.empty() ? "" : " in ", violation.arena,
                        violation.text);
  }
  return text;
}

std::string capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::string progress_text(const Progress& progress) {
  const bool is_timed = progress.of_seconds > 0;
  const double share = is_timed                ? progress.seconds / progress.of_seconds
                       : progress.planned == 0 ? 1
                                               : static_cast<double>(progress.over) / static_cast<double>(progress.planned);
  const std::string time = is_timed ? fmt::format("{:.0f} of {:.0f} s", progress.seconds, progress.of_seconds)
                                    : fmt::format("{:.0f} s", progress.seconds);
  const std::string faults =
      is_timed ? fmt::format("{} faults", progress.over) : fmt::format("{} of {} faults", progress.over, progress.planned);
  return fmt::format("{} {}  {}  {} workers and {} arenads replaced  {} violations", bar(share), time, faults,
                     progress.worker_ends, progress.arenad_ends, progress.violations);
}

std::string closing_text(const RunRecord& record, const std::string& report) {
  std::string text = violations_list(record);
  if (!text.empty()) text += "\n";
  text += invariants_table(record) + "\n" + faults_table(record) + "\n";
  if (const RecoveryParts parts = record.parts(); parts.deaths != 0) text += parts_table(parts) + "\n";
  text += fmt::format(
      "{} of {} faults, {} workers and {} arenads replaced, {} entries, {} frames compared, recovery {}, {:.1f} s\n",
      record.fired(), record.plan.steps.size(), record.worker_ends, record.arenad_ends, record.entries, record.frames_compared,
      record.took().text(), record.seconds);
  if (!report.empty()) text += fmt::format("report: {}/report.html\n", report);
  if (!record.bundle.empty()) text += fmt::format("bundle: {0}\n  play it again: arena-chaos replay {0}\n", record.bundle);
  text += fmt::format("verdict: {}\n", capitals(name_of(record.verdict)));
  for (const std::string& reason : record.reasons) text += "  " + reason + "\n";
  return text;
}

}  // namespace arenad::chaos
