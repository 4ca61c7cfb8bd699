#include "chaos/sweep/call_sweep.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include "chaos/random.h"
#include "chaos/sweep/plan_text.h"
#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

bool fits(const std::string& glob, const std::string& name) {
  return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

uint64_t& runs_of(CallCount& count, const CallWay& way) {
  if (way.error == 0) return count.kills;
  return way.lasting == Lasting::for_a_while ? count.lasting : count.errors;
}

}  // namespace

void CallSweep::count_calls() {
  for (const Pace pace : kPaces) {
    for (const Scenario scenario : kScenarios) {
      if (options_.scenario.value_or(scenario) != scenario || options_.pace.value_or(pace) != pace) continue;
      if (!runs_.goes_on()) return;
      Outcome outcome = runs_.play({scenario, pace, {}, {}});
      if (!outcome.problems.empty()) {
        ++report_.other_failing;
        continue;
      }
      reached_.push_back({scenario, pace, std::move(outcome.calls)});
    }
  }
  for (const CallRole role : kCallRoles) {
    for (size_t call = 0; call < kIoCalls.size(); ++call) {
      uint64_t hits = 0;
      for (const Reached& reached : reached_) hits += reached.hits[count_index(role, call)];
      if (hits == 0) continue;
      report_.has_counted = true;
      const std::string name = call_name(role, call);
      if (!fits(options_.only, name) || wanted_ways(call).empty()) continue;
      report_.calls[name].hits = hits;
      places_.push_back({role, call});
    }
  }
}

std::vector<const CallSweep::Reached*> CallSweep::where(const Place& place) const {
  std::vector<const Reached*> found;
  for (const Reached& reached : reached_) {
    if (reached.hits[count_index(place.role, place.call)] == 0) continue;
    const bool is_worker = place.role == CallRole::worker;
    if (!is_worker && reached.pace != Pace::still && !options_.pace) continue;
    const bool is_first_of_pace = found.empty() || found.back()->pace != reached.pace;
    if (!is_worker || is_first_of_pace || reached.scenario == Scenario::recovery) found.push_back(&reached);
    // The short form takes one.
    if (options_.extent.kind == CallExtent::Kind::first_last) break;
  }
  return found;
}

std::vector<CallWay> CallSweep::wanted_ways(size_t call) const {
  std::vector<CallWay> ways;
  for (const CallWay& way : ways_of(kIoCalls[call])) {
    if (fits(options_.way, way_text(way))) ways.push_back(way);
  }
  return ways;
}

bool CallSweep::run_case(const Place& place, const Reached& in, uint64_t hit, const CallWay& way) {
  const Outcome outcome = runs_.play({in.scenario, in.pace, {}, {{place.role, place.call, hit, way}}});
  CallCount& count = report_.calls[call_name(place.role, place.call)];
  if (!outcome.problems.empty()) ++(outcome.fired[0] ? report_.failing : report_.other_failing);
  if (!outcome.fired[0]) return false;
  ++report_.cases;
  ++runs_of(count, way);
  if (!outcome.problems.empty()) ++count.failing;
  return true;
}

// Some calls are made only by processes that are new, as a template that loads its module.
void CallSweep::sweep_way(const Place& place, const Reached& in, const CallWay& way) {
  const uint64_t seen = in.hits[count_index(place.role, place.call)];
  CallCourse course(options_.extent, seen);
  const uint64_t failing_before = report_.failing;
  while (runs_.goes_on()) {
    const auto hit = course.next();
    if (!hit) break;
    const bool has_fired = run_case(place, in, *hit, way);
    course.tried(has_fired);
    if (!has_fired && *hit <= seen) runs_.end_rig();
  }
  runs_.say(fmt::format("{:<26} {:<9} {:<8} {:<10} {:>5} hits {:>5} runs {:>3} failing", call_name(place.role, place.call),
                        way_text(way), to_string(in.pace), to_string(in.scenario), seen, course.fired(),
                        report_.failing - failing_before));
}

void CallSweep::sweep_call(const Place& place) {
  const uint64_t cases_before = report_.cases;
  for (const Reached* in : where(place)) {
    for (const CallWay& way : wanted_ways(place.call)) {
      if (runs_.goes_on()) sweep_way(place, *in, way);
    }
  }
  if (report_.cases == cases_before && runs_.goes_on()) report_.in_vain.push_back(call_name(place.role, place.call));
}

// ---- second faults ------------------------------------------------------------------------------------------------------

void CallSweep::run_pair(const Plan& plan) {
  const Outcome outcome = runs_.play(plan);
  if (!outcome.fired[0]) {
    if (!outcome.problems.empty()) ++report_.other_failing;
    return;
  }
  if (outcome.fired[1]) ++report_.second_cases;
  if (!outcome.problems.empty()) ++report_.second_failing;
}

// Right behind the first.
void CallSweep::sweep_second(const Place& place) {
  for (const Reached* in : where(place)) {
    for (const CallWay& way : wanted_ways(place.call)) {
      const CallTrap trap{place.role, place.call, 1, way};
      if (way.lasting == Lasting::once && runs_.goes_on()) run_pair({in->scenario, in->pace, {}, {trap, trap}});
    }
    if (options_.extent.kind != CallExtent::Kind::all) break;
  }
}

void CallSweep::sweep_pairs() {
  chaos::Random random(options_.seed, "pairs of calls");
  for (size_t i = 0; i < options_.pairs && runs_.goes_on(); ++i) {
    const Reached& in = reached_[random.below(reached_.size())];
    std::vector<Place> here;
    for (const Place& place : places_) {
      if (in.hits[count_index(place.role, place.call)] != 0) here.push_back(place);
    }
    if (here.empty()) continue;
    const auto draw = [&](const Place& place, uint64_t hits) {
      const auto ways = wanted_ways(place.call);
      return CallTrap{place.role, place.call, 1 + random.below(hits), ways[random.below(ways.size())]};
    };
    const Place first = here[random.below(here.size())];
    const Place second = here[random.below(here.size())];
    const CallTrap first_trap = draw(first, in.hits[count_index(first.role, first.call)]);
    run_pair({in.scenario, in.pace, {}, {first_trap, draw(second, 5)}});
  }
}

CallSweepReport CallSweep::run() {
  const uint64_t began_ns = monotonic_ns();
  count_calls();
  for (const Place& place : places_) sweep_call(place);
  const bool is_short = options_.extent.kind == CallExtent::Kind::first_last;
  for (const Place& place : places_) {
    if (!is_short) sweep_second(place);
  }
  if (!reached_.empty()) sweep_pairs();
  runs_.end_rig();
  report_.runs = runs_.report();
  report_.seconds = static_cast<double>(monotonic_ns() - began_ns) / kSecond;
  return std::move(report_);
}

}  // namespace arenad::sweep
