// Which runs a sweep makes, and what they came to.
//
// First each scenario runs at each pace with nothing armed: that must go well, and tells which points it reaches, how often. Then each point is
// swept in the scenarios that reach it: its first hit, its second, and so on, until a run ends without having had so many. Then second
// faults: the same point again in the successor, and pairs by seed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chaos/sweep/runs.h"

namespace arenad::sweep {

enum class Depth {
  full,       // every hit, and all second faults
  first_last  // the first hit, the middle one and the last; a few second faults
};

struct SweepOptions {
  Depth depth = Depth::full;
  std::string only = "*";  // a glob over names
  uint64_t seed = 0;
  std::optional<Plan> single;  // this run alone
};

// What one point came to at one pace.
struct PointCount {
  size_t point = 0;
  Scenario scenario = Scenario::play;
  Pace pace = Pace::still;
  uint64_t hits = 0;   // in the run with nothing armed
  uint64_t cases = 0;  // runs in which it went off
  uint64_t failing = 0;
};

struct SweepReport {
  RunsReport runs;
  uint64_t cases = 0;         // point x process x hit, in which it went off
  uint64_t failing = 0;       // of those
  uint64_t second_cases = 0;  // in which a second one went off as well
  uint64_t second_failing = 0;
  uint64_t other_failing = 0;  // runs in which nothing went off
  std::vector<PointCount> points;
  std::vector<std::string> never_reached;  // also a trap of a single run that did not go off
  double seconds = 0;
  [[nodiscard]] bool is_clean() const {
    return failing == 0 && second_failing == 0 && other_failing == 0 && never_reached.empty() && runs.failures.empty() &&
           !runs.cut_short;
  }
};

class Sweep {
 public:
  Sweep(SweepOptions options, Runs& runs) : options_(std::move(options)), runs_(runs) {}
  SweepReport run();

 private:
  struct Reached {
    Scenario scenario;
    Pace pace;
    std::vector<uint64_t> hits;  // of each point
  };

  void run_unarmed();
  void sweep_point(size_t point, Pace pace);
  // In how many runs it went off.
  uint64_t sweep_place(size_t point, const Reached& in);
  void sweep_second(size_t point);
  void sweep_pairs();
  // Whether the trap went off.
  bool reach_case(PointCount& count, uint64_t hit);
  bool run_case(PointCount& count, uint64_t hit, CrashAction action);
  void run_pair(const Plan& plan);
  // Where a point is swept: all scenarios that reach it, of a worker's points, which are reached by most, the first and the recovery; the
  // short form takes the first in which it goes off. None: it is never reached.
  [[nodiscard]] std::vector<const Reached*> places_of(size_t point, Pace pace) const;
  [[nodiscard]] bool is_wanted(size_t point) const;

  SweepOptions options_;
  Runs& runs_;
  std::vector<Reached> reached_;
  SweepReport report_;
};

// Whose points these are.
const char* process_of(size_t point);

}  // namespace arenad::sweep
