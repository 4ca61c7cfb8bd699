// The verb `sweep` of arena-chaos: has each process die at each crash point, or die or fail at each I/O system call, from its
// first hit to its last, and checks each time that nothing is lost.
#pragma once

#include <string>
#include <vector>

#include "chaos/sweep/call_sweep.h"
#include "chaos/sweep/sweep.h"

namespace CLI {
class App;
}

namespace arenad::sweep {

struct SweepArguments {
  SweepOptions options;
  CallSweepOptions calls;
  bool sweeps_calls = false;
  size_t most_failures = 20;
  std::string json;
  bool is_short = false;
  bool list = false;
  bool has_seed = false;
  bool has_scenario = false;
  bool has_pace = false;
  bool has_pairs = false;
  std::vector<std::string> at;  // plan_text.h
  Plan single;
  CrashAction action = CrashAction::kill;
};

// To be kept until the arguments are parsed.
void add_options(CLI::App& verb, SweepArguments& arguments);
// Gives the exit code of arena-chaos.
int run_sweep(SweepArguments arguments);

}  // namespace arenad::sweep
