// arena-chaos: breaks everything on purpose, and proves that it did not matter.
#include <fmt/format.h>
#include <fnmatch.h>
#include <fstream>
#include <iostream>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "chaos/chaos_run.h"
#include "chaos/litter.h"
#include "chaos/private_folder.h"
#include "ipc/clock.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;

constexpr int kExitViolations = 1;
constexpr int kExitUsage = 2;

struct Options {
  PlanOptions plan;
  std::string only = "*";
  std::string plan_file;
};

std::vector<std::string> chosen(const std::string& only) {
  std::vector<std::string> names;
  for (const Fault& fault : all_faults()) {
    if (::fnmatch(only.c_str(), fault.name.c_str(), 0) == 0) names.push_back(fault.name);
  }
  return names;
}

int list(const Options& options) {
  for (const std::string& name : chosen(options.only)) {
    const Fault& fault = *find_fault(name);
    fmt::print("{}\n    {}\n    must hold: {}\n", fault.name, fault.does, fault.holds);
  }
  return 0;
}

Result<Plan> plan_of(const Options& options) {
  if (!options.plan_file.empty()) {
    std::ifstream file(options.plan_file);
    if (!file) return make_error(ErrorCode::invalid, "cannot read " + options.plan_file);
    return plan_of_json(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  const auto faults = chosen(options.only);
  if (faults.empty()) return make_error(ErrorCode::invalid, "no fault fits " + options.only + "; arena-chaos list names all");
  return make_plan(options.plan, faults);
}

int run(const Options& options) {
  auto plan = plan_of(options);
  if (!plan) {
    fmt::print(stderr, "arena-chaos: {}\n", plan.error().text());
    return kExitUsage;
  }
  become_reaper();
  auto signals = StopSignals::take();
  auto folder = PrivateFolder::make(std::filesystem::read_symlink("/proc/self/exe").parent_path());
  if (!signals || !folder) return kExitViolations;
  ChaosFindings findings;
  auto stage = Stage::set(folder->path(), *plan);
  if (!stage) {
    fmt::print(stderr, "arena-chaos: {}\n", stage.error().text());
    return kExitViolations;
  }
  ChaosRun chaos(**stage, *plan, *signals, findings);
  if (auto played = chaos.play(); !played) findings.invariants.violated({Invariant::recovery, "", played.error().text(), 0});
  if (auto struck = (*stage)->strike(); !struck)
    findings.invariants.violated({Invariant::recovery, "", struck.error().text(), 0});
  for (const Violation& violation : findings.invariants.kept()) {
    fmt::print("violation of {}: {} {}\n", name_of(violation.invariant), violation.arena, violation.text);
  }
  for (const Outcome& outcome : findings.outcomes) {
    if (!outcome.not_run.empty()) fmt::print("not run: {}: {}\n", outcome.step->fault, outcome.not_run);
  }
  if (findings.invariants.violations() != 0) folder->keep();
  fmt::print("{} steps over, {} worker ends, {} arenad ends, {} entries, {} frames, {} violations, {:.1f} s\n",
             findings.outcomes.size(), findings.worker_ends, findings.arenad_ends, findings.entries, findings.frames_compared,
             findings.invariants.violations(), findings.seconds);
  return findings.invariants.violations() == 0 ? 0 : kExitViolations;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Breaks everything on purpose, and proves that it did not matter");
  app.require_subcommand(1);
  Options options;
  const auto common = [&](CLI::App* verb) {
    verb->add_option("--seed", options.plan.seed, "What everything random comes from");
    verb->add_option("--arenas", options.plan.arenas, "So many arenas")->check(CLI::Range(1, 500));
    verb->add_option("--faults", options.plan.faults, "So many faults");
    verb->add_option("--only", options.only, "Only faults whose names fit this glob");
  };
  CLI::App* runs = app.add_subcommand("run", "Plays a plan, and judges what came of it");
  common(runs);
  runs->add_option("--plan", options.plan_file, "Plays this plan instead of one from a seed")->check(CLI::ExistingFile);
  CLI::App* plans = app.add_subcommand("plan", "Prints what a seed would do, as JSON");
  common(plans);
  CLI::App* lists = app.add_subcommand("list", "Tells what each fault does, and what must hold");
  lists->add_option("--only", options.only, "Only faults whose names fit this glob");
  CLI11_PARSE(app, argc, argv);
  if (*lists) return list(options);
  if (*plans) {
    auto plan = plan_of(options);
    if (!plan) {
      fmt::print(stderr, "arena-chaos: {}\n", plan.error().text());
      return kExitUsage;
    }
    std::cout << to_json(*plan);
    return 0;
  }
  return run(options);
}
