// The sweep over I/O system calls: which runs it makes, and what they came to.
//
// First each scenario runs with nothing armed and each call counted: that must go well, and tells who makes which calls there.
// Then each call of each process goes wrong at each hit in each of its ways (io_calls.h, call_course.h): of arenad and of a
// template in all scenarios that reach it; of a worker in the first and in the recovery, as its calls are made in nearly all,
// and at both paces. Then second faults: the same call again while everybody recovers, and pairs by seed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chaos/sweep/call_course.h"
#include "chaos/sweep/runs.h"

namespace arenad::sweep {

struct CallSweepOptions {
  CallExtent extent;
  std::string only = "*";            // a glob over ROLE.CALL
  std::string way = "*";             // a glob over kill, ERROR, ERROR+
  std::optional<Scenario> scenario;  // in this alone
  std::optional<Pace> pace;
  uint64_t seed = 0;
  size_t pairs = 150;
};

// What one call of one process came to.
struct CallCount {
  uint64_t hits = 0;  // in the runs with nothing armed
  uint64_t kills = 0;
  uint64_t errors = 0;   // runs in which it failed once
  uint64_t lasting = 0;  // runs in which it failed for a while
  uint64_t failing = 0;  // runs in which something was wrong
};

struct CallSweepReport {
  RunsReport runs;
  std::map<std::string, CallCount> calls;  // ROLE.CALL
  uint64_t cases = 0;                      // in which the call went wrong
  uint64_t failing = 0;                    // of those
  uint64_t second_cases = 0;               // in which a second one did as well
  uint64_t second_failing = 0;
  uint64_t other_failing = 0;        // runs in which nothing went wrong
  std::vector<std::string> in_vain;  // ROLE.CALL: asked for, counted without a fault, and never gone wrong
  bool has_counted = false;          // any call at all
  double seconds = 0;
  [[nodiscard]] bool is_clean() const {
    return failing == 0 && second_failing == 0 && other_failing == 0 && runs.failures.empty() && !runs.cut_short;
  }
  // Nothing that was asked for has gone wrong, so nothing is proved.
  [[nodiscard]] bool is_vacuous() const { return !has_counted || cases == 0 || !in_vain.empty(); }
};

class CallSweep {
 public:
  CallSweep(CallSweepOptions options, Runs& runs) : options_(std::move(options)), runs_(runs) {}
  CallSweepReport run();

 private:
  struct Reached {
    Scenario scenario;
    Pace pace;
    std::vector<uint64_t> hits;  // by count_index()
  };
  struct Place {
    CallRole role;
    size_t call;
  };

  void count_calls();
  void sweep_call(const Place& place);
  void sweep_way(const Place& place, const Reached& in, const CallWay& way);
  void sweep_second(const Place& place);
  void sweep_pairs();
  // Whether the call went wrong.
  bool run_case(const Place& place, const Reached& in, uint64_t hit, const CallWay& way);
  void run_pair(const Plan& plan);
  [[nodiscard]] std::vector<const Reached*> where(const Place& place) const;
  [[nodiscard]] std::vector<CallWay> wanted_ways(size_t call) const;

  CallSweepOptions options_;
  Runs& runs_;
  std::vector<Reached> reached_;
  std::vector<Place> places_;  // wanted, and reached somewhere
  CallSweepReport report_;
};

}  // namespace arenad::sweep
