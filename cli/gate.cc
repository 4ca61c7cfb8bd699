#include "cli/gate.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace arenad::cli {
namespace {

// A difference that is smaller is none, whatever part of the time it is: the clock, a cache, a page.
constexpr uint64_t kMeanSlackNs = 1'000;
constexpr uint64_t kP99SlackNs = 10'000;
constexpr uint64_t kLongestSlackNs = 50'000;

// FNV-1a (datatracker.ietf.org/doc/html/draft-eastlake-fnv)
uint64_t mixed(uint64_t hash, uint64_t word) {
  for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ (word >> shift & 0xFF)) * 1099511628211U;
  return hash;
}

uint64_t outputs_hash_of(const ReplayTimes& run) {
  uint64_t hash = 14695981039346656037U;
  for (const ReplayedFrame& frame : run.frames) hash = mixed(mixed(hash, frame.frame), frame.outputs_hash);
  return hash;
}

FrameTimes times_of(std::vector<uint64_t> ns) {
  std::ranges::sort(ns);
  uint64_t total = 0;
  for (const uint64_t each : ns) total += each;
  // Nearest rank.
  const auto rank = static_cast<size_t>(std::ceil(0.99 * static_cast<double>(ns.size())));
  return {total / ns.size(), ns[std::max<size_t>(rank, 1) - 1], ns.back()};
}

bool gave_the_same(const ReplayTimes& a, const ReplayTimes& b) {
  const auto frame_facts = [](const ReplayedFrame& frame) { return std::pair(frame.frame, frame.outputs_hash); };
  return a.state_hash == b.state_hash && a.results == b.results &&
         std::ranges::equal(a.frames, b.frames, {}, frame_facts, frame_facts);
}

std::string time_text(uint64_t ns) {
  return fmt::format("{:.3f} ms", static_cast<double>(ns) / 1e6);
}

GateCheck time_check(const char* name, uint64_t before_ns, uint64_t after_ns, uint64_t slack_ns, const GatePolicy& policy) {
  const double most = static_cast<double>(before_ns) * (1 + policy.max_slower_percent / 100);
  const bool is_slower = static_cast<double>(after_ns) > most && after_ns > before_ns + slack_ns;
  const std::string change =
      before_ns == 0 ? ""
                     : fmt::format("{:+.1f} %", 100 * (static_cast<double>(after_ns) / static_cast<double>(before_ns) - 1));
  return {name, time_text(before_ns), time_text(after_ns), change, is_slower ? Verdict::failed : Verdict::passed};
}

GateCheck time_shown(const char* name, uint64_t after_ns) {
  return {name, "", time_text(after_ns), "", Verdict::shown};
}

Verdict verdict_on(bool is_same, Wanted wanted) {
  if (is_same) return Verdict::passed;
  return wanted == Wanted::same ? Verdict::failed : Verdict::shown;
}

GateCheck same_check(const char* name, std::string before, std::string after, Wanted wanted) {
  const bool is_same = before == after;
  return {name, std::move(before), std::move(after), is_same ? "" : "different", verdict_on(is_same, wanted)};
}

std::string hash_cell(uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

size_t different_results(const std::vector<ReplayedResult>& before, const std::vector<ReplayedResult>& after) {
  const size_t common = std::min(before.size(), after.size());
  size_t different = std::max(before.size(), after.size()) - common;
  for (size_t i = 0; i < common; ++i) different += before[i] == after[i] ? 0 : 1;
  return different;
}

GateCheck results_check(const GateSide& before, const GateSide& after, Wanted wanted) {
  const size_t different = different_results(before.results, after.results);
  return {"results", std::to_string(before.results.size()), std::to_string(after.results.size()),
          different == 0 ? "" : fmt::format("{} different", different), verdict_on(different == 0, wanted)};
}

}  // namespace

Result<GateSide> side_of(std::span<const ReplayTimes> runs) {
  if (runs.empty() || runs[0].frames.empty()) return make_error(ErrorCode::invalid, "no frame of the recording was run");
  const ReplayTimes& first = runs[0];
  GateSide side{
      .game = first.game, .version = first.version, .frames = first.frames.size(), .times = {}, .results = first.results};
  side.outputs_hash = outputs_hash_of(first);
  side.state_hash = first.state_hash;
  side.diverged = static_cast<uint64_t>(std::ranges::count_if(first.frames, &ReplayedFrame::diverged));
  std::vector<uint64_t> shortest;
  for (const ReplayedFrame& frame : first.frames) shortest.push_back(frame.ns);
  for (const ReplayTimes& run : runs) {
    side.is_deterministic = side.is_deterministic && gave_the_same(first, run);
    for (size_t i = 0; i < std::min(shortest.size(), run.frames.size()); ++i)
      shortest[i] = std::min(shortest[i], run.frames[i].ns);
  }
  side.times = times_of(std::move(shortest));
  return side;
}

std::vector<GateCheck> gate_checks(const GateSide* before, const GateSide& after, const std::string& recorded_version,
                                   const GatePolicy& policy) {
  std::vector<GateCheck> checks;
  const std::string& version_before = before != nullptr ? before->version : recorded_version;
  const Wanted outputs = policy.outputs.value_or(version_before == after.version ? Wanted::same : Wanted::any);
  if (before != nullptr) {
    checks.push_back(time_check("mean frame", before->times.mean_ns, after.times.mean_ns, kMeanSlackNs, policy));
    checks.push_back(time_check("99th percentile", before->times.p99_ns, after.times.p99_ns, kP99SlackNs, policy));
    checks.push_back(time_check("longest frame", before->times.longest_ns, after.times.longest_ns, kLongestSlackNs, policy));
    checks.push_back(same_check("frames", std::to_string(before->frames), std::to_string(after.frames), outputs));
    checks.push_back(same_check("outputs", hash_cell(before->outputs_hash), hash_cell(after.outputs_hash), outputs));
    checks.push_back(same_check("final state", hash_cell(before->state_hash), hash_cell(after.state_hash), outputs));
    checks.push_back(results_check(*before, after, policy.results));
  } else {
    checks.push_back(time_shown("mean frame", after.times.mean_ns));
    checks.push_back(time_shown("99th percentile", after.times.p99_ns));
    checks.push_back(time_shown("longest frame", after.times.longest_ns));
    checks.push_back({"outputs", "as recorded", after.diverged == 0 ? "as recorded" : "other",
                      after.diverged == 0 ? "" : fmt::format("{} of {} frames", after.diverged, after.frames),
                      verdict_on(after.diverged == 0, outputs)});
  }
  checks.push_back({"every run the same", "", after.is_deterministic ? "yes" : "no", "",
                    after.is_deterministic ? Verdict::passed : Verdict::failed});
  return checks;
}

bool has_passed(std::span<const GateCheck> checks) {
  return std::ranges::none_of(checks, [](const GateCheck& check) { return check.verdict == Verdict::failed; });
}

}  // namespace arenad::cli
