#include "chaos/sweep/sweep.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>

#include "chaos/files.h"
#include "chaos/random.h"
#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

constexpr uint64_t kMostHits = 1000;
constexpr size_t kMostFailuresTold = 20;
constexpr size_t kPairs = 150;
constexpr size_t kFewPairs = 10;

bool is_arenad(size_t point) {
  return kCrashPoints[point].starts_with("arenad.");
}

// An arena's pace matters to its worker.
bool is_worker(size_t point) {
  return std::string_view(process_of(point)) == "worker";
}

std::string trap_text(const Trap& trap) {
  return fmt::format("{}#{}", kCrashPoints[trap.point], trap.hit);
}

const char* name_of(CrashAction action) {
  switch (action) {
    case CrashAction::kill:
      return "kill";
    case CrashAction::abort:
      return "abort";
    case CrashAction::segv:
      return "segv";
    case CrashAction::stop:
      return "stop";
    case CrashAction::exit:
      return "exit";
    default:  // the others are arena-chaos's
      break;
  }
  return "?";
}

std::string command_for(const Plan& plan) {
  std::string command =
      fmt::format("arena-chaos sweep --scenario {} --pace {}", to_string(plan.scenario), to_string(plan.pace));
  for (const Trap& trap : plan.traps) {
    command += " --at " + trap_text(trap);
    if (trap.action != CrashAction::kill) command += fmt::format(" --action {}", name_of(trap.action));
  }
  return command;
}

}  // namespace

const char* process_of(size_t point) {
  if (is_arenad(point)) return "arenad";
  if (kCrashPoints[point].starts_with("template.")) return "template";
  if (kCrashPoints[point].starts_with("spare.")) return "spare";
  return "worker";
}

// ---- processes ----------------------------------------------------------------------------------------------------------

Result<void> Sweep::make_rig() {
  if (rig_) return {};
  auto folder = chaos::PrivateFolder::make(beside_);
  if (!folder) return folder.error();
  folder_.emplace(std::move(*folder));
  auto rig = Rig::start(folder_->path());
  if (!rig) return rig.error();
  rig_ = std::move(*rig);
  return {};
}

void Sweep::end_rig() {
  if (!rig_) return;
  if (auto stopped = rig_->stop(); !stopped) {
    report_.failures.push_back("at the end: " + stopped.error().text() + "; see " + folder_->path().string());
    folder_->keep();
  }
  rig_.reset();
  folder_.reset();
}

bool Sweep::goes_on() {
  if (signals_.look() != chaos::Wish::go_on) report_.cut_short = true;
  return !report_.cut_short && report_.failures.size() < kMostFailuresTold;
}

// ---- runs ---------------------------------------------------------------------------------------------------------------

Outcome Sweep::run_plan(const Plan& plan) {
  ++report_.runs;
  Outcome outcome;
  if (auto made = make_rig(); !made) {
    outcome.problems.push_back(made.error().text());
  } else {
    outcome = run_scenario(*rig_, plan, next_run_++);
  }
  outcome.fired.resize(plan.traps.size());
  report_.frames_compared += outcome.frames_compared;
  if (!outcome.problems.empty()) note_failure(plan, outcome);
  return outcome;
}

void Sweep::note_failure(const Plan& plan, const Outcome& outcome) {
  std::string text = fmt::format("FAILED  {}\n", command_for(plan));
  for (const std::string& problem : outcome.problems) text += "        " + problem + "\n";
  if (folder_) {
    folder_->keep();
    const std::string name = fmt::format("arena=s{} ", next_run_ - 1);
    const auto lines = chaos::lines_with(folder_->path() / "arenad.log", name);
    for (size_t i = lines.size() > 12 ? lines.size() - 12 : 0; i < lines.size(); ++i) text += "        | " + lines[i] + "\n";
    text += "        everything is in " + folder_->path().string() + "\n";
  }
  say_(text);
  report_.failures.push_back(std::move(text));
  end_rig();
}

void Sweep::run_unarmed() {
  for (const Pace pace : kPaces) {
    for (const Scenario scenario : kScenarios) {
      if (!goes_on()) return;
      const Outcome outcome = run_plan({scenario, pace, {}});
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
    report_.failures.push_back(fmt::format("{} is never reached", kCrashPoints[point]));
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
  const Outcome outcome = run_plan({count.scenario, count.pace, {{count.point, hit, action}}});
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
  for (int tried = 0; tried < tries && goes_on(); ++tried) {
    if (run_case(count, hit, CrashAction::kill)) return true;
    end_rig();
  }
  return false;
}

void Sweep::sweep_point(size_t point, Pace pace) {
  uint64_t cases = 0;
  for (const Reached* in : places_of(point, pace)) {
    if (goes_on()) cases += sweep_place(point, *in);
    if (options_.depth == Depth::first_last && cases != 0) break;
  }
  if (cases == 0 && goes_on()) {
    report_.failures.push_back(fmt::format("{} never went off at the {} pace", kCrashPoints[point], to_string(pace)));
  }
}

uint64_t Sweep::sweep_place(size_t point, const Reached& in) {
  PointCount count{.point = point, .scenario = in.scenario, .pace = in.pace, .hits = in.hits[point]};
  switch (options_.depth) {
    case Depth::full:
      for (uint64_t hit = 1; hit <= kMostHits && goes_on(); ++hit) {
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
        if (goes_on()) reach_case(count, hit);
      }
      break;
    }
  }
  say_(fmt::format("{:<32} {:<9} {:<8} {:<10} {:>4} hits {:>4} runs {:>3} failing", kCrashPoints[point], process_of(point),
                   to_string(count.pace), to_string(count.scenario), count.hits, count.cases, count.failing));
  report_.points.push_back(count);
  return count.cases;
}

// ---- second faults ------------------------------------------------------------------------------------------------------

void Sweep::run_pair(const Plan& plan) {
  const Outcome outcome = run_plan(plan);
  if (!outcome.fired[0]) {
    if (!outcome.problems.empty()) ++report_.other_failing;
    return;
  }
  if (outcome.fired[1]) ++report_.second_cases;
  if (!outcome.problems.empty()) ++report_.second_failing;
}

void Sweep::sweep_second(size_t point) {
  for (const Reached* in : places_of(point, Pace::still)) {
    if (goes_on()) run_pair({in->scenario, in->pace, {{point, 1}, {point, 1}}});
    if (options_.depth == Depth::first_last) break;
  }
}

void Sweep::sweep_pairs() {
  chaos::Random random(options_.seed, "pairs");
  const size_t pairs = options_.depth == Depth::full ? kPairs : kFewPairs;
  for (size_t i = 0; i < pairs && goes_on(); ++i) {
    const Reached& in = reached_[random.below(reached_.size())];
    std::vector<size_t> points;
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      if (in.hits[point] != 0) points.push_back(point);
    }
    const size_t first = points[random.below(points.size())];
    const size_t second = points[random.below(points.size())];
    const Trap first_trap{first, 1 + random.below(in.hits[first])};
    run_pair({in.scenario, in.pace, {first_trap, {second, 1 + random.below(3)}}});
  }
}

SweepReport Sweep::run() {
  const uint64_t began_ns = monotonic_ns();
  if (options_.single) {
    const Outcome outcome = run_plan(*options_.single);
    for (size_t i = 0; i < outcome.fired.size(); ++i) {
      say_(trap_text(options_.single->traps[i]) + (outcome.fired[i] ? " went off" : " did not go off"));
    }
    if (!outcome.problems.empty()) ++report_.other_failing;
  } else {
    run_unarmed();
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      if (!is_wanted(point)) continue;
      for (const Pace pace : kPaces) {
        if (goes_on() && (pace == Pace::still || is_worker(point))) sweep_point(point, pace);
      }
    }
    for (size_t point = 0; point < kCrashPoints.size(); ++point) {
      const bool wanted = options_.depth == Depth::full || point % 8 == options_.seed % 8;
      if (wanted && is_wanted(point) && goes_on()) sweep_second(point);
    }
    if (options_.only == "*" && !reached_.empty()) sweep_pairs();
  }
  end_rig();
  report_.seconds = static_cast<double>(monotonic_ns() - began_ns) / kSecond;
  return std::move(report_);
}

}  // namespace arenad::sweep
