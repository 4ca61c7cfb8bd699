#include "chaos/sweep/sweep.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>

#include "chaos/random.h"
#include "chaos/sweep/plan_text.h"
#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

constexpr uint64_t kMostHits = 1000;
constexpr size_t kPairs = 150;
constexpr size_t kFewPairs = 10;

bool is_arenad(size_t point) {
  return kCrashPoints[point].starts_with("arenad.");
}

// An arena's pace matters to its worker.
bool is_worker(size_t point) {
  return std::string_view(process_of(point)) == "worker";
}

}  // namespace

const char* process_of(size_t point) {
  if (is_arenad(point)) return "arenad";
  if (kCrashPoints[point].starts_with("template.")) return "template";
  if (kCrashPoints[point].starts_with("spare.")) return "spare";
  return "worker";
}

void Sweep::run_unarmed() {
  for (const Pace pace : kPaces) {
    for (const Scenario scenario : kScenarios) {
      if (!runs_.goes_on()) return;
      const Outcome outcome = runs_.play({scenario, pace, {}, {}});
      if (!outcome.problems.empty()) {
        ++report_.other_failing;
        continue;
      }
      reached_.push_back({scenario, pace, outcome.hits});
    }
  }
  for (size_t point = 0; point < kCrashPoints.size(); ++point) {
    if (!places_of(point, Pace::still).empty()) continue;
    report_.never_reached.emplace_back(kCrashPoints[point]);
    runs_.add_failure(fmt::format("{} is never reached", kCrashPoints[point]));
  }
}

std::vector<const Sweep::Reached*> Sweep::places_of(size_t point, Pace pace) const {
  std::vector<const Reached*> places;
  for (const Reached& reached : reached_) {
    if (reached.pace != pace || reached.hits[point] == 0) continue;
    if (places.empty() || !is_worker(point) || reached.scenario == Scenario::recovery) places.push_back(&reached);
  }
  return places;
}

bool Sweep::is_wanted(size_t point) const {
  return ::fnmatch(options_.only.c_str(), std::string(kCrashPoints[point]).c_str(), 0) == 0;
}

bool Sweep::run_case(PointCount& count, uint64_t hit, CrashAction action) {
  const Outcome outcome = runs_.play({count.scenario, count.pace, {{count.point, hit, action}}, {}});
  if (!outcome.problems.empty()) ++(outcome.fired[0] ? report_.failing : report_.other_failing);
  if (!outcome.fired[0]) return false;
  ++report_.cases;
  ++count.cases;
  if (!outcome.problems.empty()) ++count.failing;
  return true;
}

// A run is never quite as long as another: one that had too few hits is no proof that there is no such hit. And some places are passed
// only by processes that are new, like a template that loads its module.
bool Sweep::reach_case(PointCount& count, uint64_t hit) {
  const int tries = hit <= count.hits ? 12 : 2;
  for (int tried = 0; tried < tries && runs_.goes_on(); ++tried) {
    if (run_case(count, hit, CrashAction::kill)) return true;
    runs_.end_rig();
  }
  return false;
}

void Sweep::sweep_point(size_t point, Pace pace) {
  uint64_t cases = 0;
  for (const Reached* in : places_of(point, pace)) {
    if (runs_.goes_on()) cases += sweep_place(point, *in);
    if (options_.depth == Depth::first_last && cases != 0) break;
  }
  if (cases == 0 && runs_.goes_on()) {
    runs_.add_failure(fmt::format("{} never went off at the {} pace", kCrashPoints[point], to_string(pace)));
  }
}

uint64_t Sweep::sweep_place(size_t point, const Reached& in) {
  PointCount count{.point = point, .scenario = in.scenario, .pace = in.pace, .hits = in.hits[point]};
  switch (options_.depth) {
    case Depth::full:
      for (uint64_t hit = 1; hit <= kMostHits && runs_.goes_on(); ++hit) {
        if (!reach_case(count, hit)) break;
      }
      if (is_worker(point)) {
        for (const CrashAction action : {CrashAction::abort, CrashAction::segv, CrashAction::exit}) run_case(count, 1, action);
      }
      break;
    case Depth::first_last: {
      std::vector<uint64_t> hits{1, (count.hits + 1) / 2, count.hits};
      hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
      for (const uint64_t hit : hits) {
        if (runs_.goes_on()) reach_case(count, hit);
      }
      break;
    }
  }
  runs_.say(fmt::format("{:<32} {:<9} {:<8} {:<10} {:>4} hits {:>4} runs {:>3} failing", kCrashPoints[point], process_of(point),
                        to_string(count.pace), to_string(count.scenario), count.hits, count.cases, count.failing));
  report_.points.push_back(count);
  return count.cases;
}

// ---- second faults ------------------------------------------------------------------------------------------------------

void Sweep::run_pair(const Plan& plan) {
  const Outcome outcome = runs_.play(plan);
  if (!outcome.fired[0]) {
    if (!outcome.problems.empty()) ++report_.other_failing;
    return;
  }
  if (outcome.fired[1]) ++report_.second_cases;
  if (!outcome.problems.empty()) ++report_.second_failing;
}

void Sweep::sweep_second(size_t point) {
  for (const Reached* in : places_of(point, Pace::still)) {
    if (runs_.goes_on()) run_pair({in->scenario, in->pace, {{point, 1}, {point, 1}}, {}});
    if (options_.depth == Depth::first_last) break;
  }
}

void Sweep::sweep_pairs() {
  chaos::Random random(options_.seed, "pairs");
  const size_t pairs = options_.depth == Depth::full ? kPairs : kFewPairs;
  for (size_t i = 0; i < pairs && runs_.goes_on(); ++i) {
    const Reached& in = reached_[random.below(reached_.size())];
    std::vector<size_t> points;
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      if (in.hits[point] != 0) points.push_back(point);
    }
    const size_t first = points[random.below(points.size())];
    const size_t second = points[random.below(points.size())];
    const Trap first_trap{first, 1 + random.below(in.hits[first])};
    run_pair({in.scenario, in.pace, {first_trap, {second, 1 + random.below(3)}}, {}});
  }
}

SweepReport Sweep::run() {
  const uint64_t began_ns = monotonic_ns();
  if (options_.single) {
    const Outcome outcome = runs_.play(*options_.single);
    std::vector<std::string> names;
    for (const Trap& trap : options_.single->traps) names.push_back(trap_text(trap));
    for (const CallTrap& trap : options_.single->calls) names.push_back(trap_text(trap));
    for (size_t i = 0; i < names.size(); ++i) {
      runs_.say(names[i] + (outcome.fired[i] ? " went off" : " did not go off"));
      if (!outcome.fired[i]) report_.never_reached.push_back(names[i]);
    }
    if (!outcome.problems.empty()) ++report_.other_failing;
  } else {
    run_unarmed();
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      if (!is_wanted(point)) continue;
      for (const Pace pace : kPaces) {
        if (runs_.goes_on() && (pace == Pace::still || is_worker(point))) sweep_point(point, pace);
      }
    }
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      const bool wanted = options_.depth == Depth::full || point % 8 == options_.seed % 8;
      if (wanted && is_wanted(point) && runs_.goes_on()) sweep_second(point);
    }
    if (options_.only == "*" && !reached_.empty()) sweep_pairs();
  }
  runs_.end_rig();
  report_.runs = runs_.report();
  report_.seconds = static_cast<double>(monotonic_ns() - began_ns) / kSecond;
  return std::move(report_);
}

}  // namespace arenad::sweep
