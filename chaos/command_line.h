// The options of arena-chaos's command line. Its manual page is made of them too (packaging/manual/).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chaos/mutants.h"
#include "chaos/plan.h"
#include "chaos/sweep/verb.h"

namespace CLI {
class App;
}

namespace arenad::chaos {

// Of run, plan, list, replay and shrink.
struct ChaosOptions {
  PlanOptions plan;
  uint64_t duration_s = 0;
  std::string only = "*";
  bool with_planted = false;
  std::string plan_file;
  std::string game;
  std::string driver;
  std::string report;
  std::string json;
  std::string bundle;
  std::string output;
  size_t tries = 100;
};

// What each verb was given.
struct ChaosCommandLine {
  ChaosOptions options;
  MutantsOptions mutants;
  sweep::SweepArguments sweep;
  std::vector<std::string> figures;
};

// Parses into `to`, which must live as long.
std::unique_ptr<CLI::App> chaos_command_line(ChaosCommandLine& to);

}  // namespace arenad::chaos
