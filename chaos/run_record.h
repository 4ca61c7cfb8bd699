// All that is known of a chaos run when it is over: what was asked, where it ran, what was planned, what came of it, and the verdict. The
// reports are made of it and of nothing else. Pure: whatever asks a clock or the system is in environment.h and the program.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "chaos/chaos_run.h"
#include "chaos/durations.h"
#include "chaos/environment.h"
#include "chaos/invariants.h"
#include "chaos/plan.h"
#include "chaos/recovery_parts.h"

namespace arenad::chaos {

enum class Fate {
  recovered,      // the fault was there, and what it took came back
  not_recovered,  // it was there, and nothing came back in bounded time
  lacking,        // not run: what it takes is missing here
  refused,        // not run: it could not be injected when its time came
  not_reached,    // its time never came
};
const char* name_of(Fate fate);

struct RecordedStep {
  Step step;
  Fate fate = Fate::not_reached;
  std::string why;     // of lacking and refused
  uint64_t at_ms = 0;  // since the run began
  double took_ms = 0;  // of recovered: until an entry that was said afterwards came back
};

// What became of all steps of one fault.
struct KindRecord {
  std::string name;
  std::string does;
  std::string holds;
  uint64_t planned = 0;
  uint64_t fired = 0;
  uint64_t recovered = 0;
  uint64_t lacking = 0;
  std::string why_not;  // of a step that was not run, the first reason
  Durations took{{}};   // of those that recovered
  // Of the workers that ended while no other fault was on its way there.
  RecoveryParts parts{{}};

  // Where nothing but what is missing here kept it from being run.
  [[nodiscard]] bool is_not_run() const { return fired == 0 && lacking == planned; }
};

// A death, and the fault that has brought it about.
struct RecordedDeath {
  ToldDeath told;
  std::string fault;  // empty: it cannot be put down to one alone
};

enum class Verdict {
  passed,
  failed,     // something was violated
  vacuous,    // nothing was, and yet it shows less than it should
  cut_short,  // it was not played to its end
};
const char* name_of(Verdict verdict);

struct RunRecord {
  std::map<std::string, double> figures;  // what the checkers have measured
  std::vector<Invariant> not_shown;       // that it could have shown, and that were never looked at
  Environment environment;
  std::string version;
  std::string commit;                                        // of the sources that the program was built from
  std::string started;                                       // UTC, as ISO 8601 writes it
  std::vector<std::pair<std::string, std::string>> options;  // as given, by name
  std::string again;                                         // the command that plays the same
  Plan plan;
  std::vector<RecordedStep> steps;  // in the order in which they were over, then those that never began
  std::vector<Succession> successions;
  std::vector<uint64_t> arenads_ms;
  std::vector<RecordedDeath> deaths;  // by arena, then in their order
  std::vector<KindRecord> kinds;      // by name
  InvariantCounts invariants;
  std::vector<std::pair<std::string, uint64_t>> rungs;  // of the recovery ladder, from its top: how often one was taken
  std::vector<uint64_t> final_states;
  uint64_t entries = 0;
  uint64_t frames_compared = 0;
  uint64_t worker_ends = 0;
  uint64_t arenad_ends = 0;
  double seconds = 0;
  std::string broke;  // why the run could not go on; empty: it could
  bool cut_short = false;
  Verdict verdict = Verdict::cut_short;
  std::vector<std::string> reasons;  // for it, as sentences
  std::string bundle;                // the folder with what a failure is explained from; empty: there is none

  [[nodiscard]] uint64_t fired() const;
  [[nodiscard]] uint64_t kinds_fired() const;
  // Of all kinds together.
  [[nodiscard]] Durations took() const;
  [[nodiscard]] RecoveryParts parts() const;
};

// With a verdict, and without what only the program knows: environment, version, commit, when, options, bundle.
RunRecord record_of(const Plan& plan, const ChaosFindings& findings, std::string broke);

// passed 0, failed 1, vacuous 3, cut short 4; 2 is for a wrong command line.
int exit_code_of(Verdict verdict);

}  // namespace arenad::chaos
