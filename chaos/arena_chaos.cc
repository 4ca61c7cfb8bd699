// arena-chaos: breaks everything on purpose, and proves that it did not matter.
#include <fmt/format.h>
#include <fnmatch.h>
#include <fstream>
#include <iostream>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "chaos/files.h"
#include "chaos/joined_figures.h"
#include "chaos/litter.h"
#include "chaos/mutants.h"
#include "chaos/played_plan.h"
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
  if (auto played = play_plan(folder->path(), *plan, *signals, {}, findings); !played) {
    fmt::print(stderr, "arena-chaos: {}\n", played.error().text());
    return kExitViolations;
  }
  for (const Violation& violation : findings.invariants.kept()) {
    fmt::print("violation of {}: {} {}\n", name_of(violation.invariant), violation.arena, violation.text);
  }
  if (findings.invariants.violations() != 0) folder->keep();
  fmt::print("{} steps over, {} worker ends, {} arenad ends, {} entries, {} frames, {} violations, {:.1f} s\n",
             findings.outcomes.size(), findings.worker_ends, findings.arenad_ends, findings.entries, findings.frames_compared,
             findings.invariants.violations(), findings.seconds);
  const std::vector<Invariant> missing = findings.cut_short ? std::vector<Invariant>{} : not_shown(*plan, findings);
  for (const Invariant invariant : missing) fmt::print("not shown: {}: {}\n", name_of(invariant), meaning_of(invariant));
  for (const auto& [name, figure] : findings.figures) fmt::print("{} {:.6g}\n", name, figure);
  return findings.invariants.violations() == 0 && missing.empty() ? 0 : kExitViolations;
}

// The first of the files takes in the figures of all.
int join(const std::vector<std::string>& files) {
  std::vector<std::string> objects;
  for (const std::string& file : files) {
    auto text = read_file(file);
    if (!text) {
      fmt::print(stderr, "arena-chaos: {}\n", text.error().text());
      return kExitUsage;
    }
    objects.push_back(std::move(*text));
  }
  auto all = join_figures(objects);
  if (auto written = all ? write_file(files.front(), *all) : Result<void>(all.error()); !written) {
    fmt::print(stderr, "arena-chaos: {}\n", written.error().text());
    return kExitUsage;
  }
  return 0;
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
  MutantsOptions mutants;
  CLI::App* plants =
      app.add_subcommand("mutants", "Plants known bugs in the programs, one at a time, and sees whether a run notices");
  plants->add_option("--only", mutants.only, "Only mutants whose names fit this glob; may be given several times");
  plants->add_option("--json", mutants.json, "Also write the figures to this file, as one flat object");
  std::vector<std::string> figures;
  CLI::App* joins = app.add_subcommand("join-figures", "Takes the figures of all these files into the first one");
  joins->add_option("FILE", figures, "As --json writes them")->required()->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  if (*joins) return join(figures);
  if (*plants) return run_mutants(mutants);
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
