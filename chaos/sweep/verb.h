// The verb `sweep` of arena-chaos: has each process die at each crash point, from its first hit to its last, and checks each time that nothing
// is lost.
#pragma once

#include <string>
#include <vector>

#include "chaos/sweep/sweep.h"

namespace CLI {
class App;
}

namespace arenad::sweep {

struct SweepArguments {
  SweepOptions options;
  std::string json;
  bool is_short = false;
  bool list = false;
  bool has_seed = false;
  bool is_single = false;
  std::vector<std::string> at;  // NAME#HIT
  Plan single;
  CrashAction action = CrashAction::kill;
};

// To be kept until the arguments are parsed.
void add_options(CLI::App& verb, SweepArguments& arguments);
// Gives the exit code of arena-chaos.
int run_sweep(SweepArguments arguments);

}  // namespace arenad::sweep
