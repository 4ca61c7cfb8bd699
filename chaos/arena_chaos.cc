// arena-chaos: breaks everything on purpose, and proves that it did not matter.
//
// Exit codes: 0 passed; 1 something was violated; 2 the command line or a file that it names is wrong; 3 vacuous: nothing was violated, and yet
// faults were not there or nothing had to recover; 4 cut short, or it could not run.
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fnmatch.h>
#include <iostream>

#include <CLI/CLI.hpp>

#include "chaos/bundle.h"
#include "chaos/chaos_program.h"
#include "chaos/files.h"
#include "chaos/joined_figures.h"
#include "chaos/mutants.h"
#include "chaos/shrink.h"
#include "chaos/sweep/verb.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;

constexpr int kExitUsage = 2;
constexpr int kExitCouldNotRun = 4;

struct Options {
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

int usage_error(const Error& error) {
  fmt::print(stderr, "arena-chaos: {}\n", error.text());
  return kExitUsage;
}

std::vector<std::string> chosen(const Options& options) {
  std::vector<std::string> names;
  for (const Fault& fault : all_faults()) {
    if (!fault.pretends.empty() && !options.with_planted) continue;
    if (::fnmatch(options.only.c_str(), fault.name.c_str(), 0) == 0) names.push_back(fault.name);
  }
  return names;
}

int list(const Options& options) {
  for (const std::string& name : chosen(options)) {
    const Fault& fault = *find_fault(name);
    fmt::print("{}\n    {}\n    must hold: {}\n", fault.name, fault.does, fault.holds);
  }
  return 0;
}

Result<Plan> plan_of(const Options& options) {
  if (!options.plan_file.empty()) {
    auto text = read_file(options.plan_file);
    if (!text) return text.error();
    return plan_of_json(*text);
  }
  const auto faults = chosen(options);
  if (faults.empty()) return make_error(ErrorCode::invalid, "no fault fits " + options.only + "; arena-chaos list names all");
  PlanOptions plan = options.plan;
  if (options.duration_s != 0) plan.faults = 0;
  return make_plan(plan, faults);
}

int plan(const Options& options) {
  auto plan = plan_of(options);
  if (!plan) return usage_error(plan.error());
  std::cout << to_json(*plan);
  return 0;
}

// As a shell takes it for one word.
std::string shell_word(const std::string& text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./:").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::vector<std::pair<std::string, std::string>> named(const Options& options) {
  if (!options.plan_file.empty()) return {{"--plan", options.plan_file}};
  std::vector<std::pair<std::string, std::string>> list = {{"--seed", std::to_string(options.plan.seed)},
                                                           {"--arenas", std::to_string(options.plan.arenas)}};
  if (options.duration_s != 0) {
    list.emplace_back("--duration", fmt::format("{}s", options.duration_s));
  } else {
    list.emplace_back("--faults", std::to_string(options.plan.faults));
  }
  if (options.only != "*") list.emplace_back("--only", options.only);
  if (options.with_planted) list.emplace_back("--with-planted", "");
  return list;
}

// What was played for a time is played again from what was written down: a slower machine would come less far.
std::string again(const Options& options) {
  if (options.duration_s != 0 && !options.report.empty())
    return "arena-chaos run --plan " + shell_word(options.report + "/plan.json");
  std::string command = "arena-chaos run";
  for (const auto& [name, value] : named(options)) command += " " + name + (value.empty() ? "" : " " + shell_word(value));
  return command;
}

int run_request(RunRequest request) {
  auto record = run_chaos(std::move(request));
  if (!record) {
    fmt::print(stderr, "arena-chaos: {}\n", record.error().text());
    return record.error().code == ErrorCode::invalid ? kExitUsage : kExitCouldNotRun;
  }
  return exit_code_of(record->verdict);
}

int run(const Options& options) {
  auto plan = plan_of(options);
  if (!plan) return usage_error(plan.error());
  if (!options.game.empty()) {
    plan->game = std::filesystem::absolute(options.game).string();
    plan->driver = std::filesystem::absolute(options.driver).string();
  }
  return run_request({.plan = std::move(*plan),
                      .duration_s = options.duration_s,
                      .making = options.plan,
                      .faults = chosen(options),
                      .report = options.report,
                      .json = options.json,
                      .options = named(options),
                      .again = again(options)});
}

std::string text_of(const ReportedVerdict& verdict) {
  return verdict.violated.empty() ? verdict.verdict
                                  : fmt::format("{} ({})", verdict.verdict, fmt::join(verdict.violated, ", "));
}

int replay(const Options& options) {
  auto bundle = read_bundle(options.bundle);
  if (!bundle) return usage_error(bundle.error());
  auto record = run_chaos({.plan = bundle->plan,
                           .report = options.report,
                           .json = options.json,
                           .options = {{"replay", options.bundle}},
                           .again = "arena-chaos replay " + shell_word(options.bundle)});
  if (!record) {
    fmt::print(stderr, "arena-chaos: {}\n", record.error().text());
    return kExitCouldNotRun;
  }
  const ReportedVerdict now = reported(*record);
  if (now == bundle->verdict) {
    fmt::print("the same verdict as in the bundle: {}\n", text_of(now));
  } else {
    fmt::print("another verdict: {}; in the bundle it is {}\n", text_of(now), text_of(bundle->verdict));
  }
  return exit_code_of(record->verdict);
}

int shrink(const Options& options) {
  const std::filesystem::path bundle = options.bundle;
  auto shrunk =
      shrink_bundle({.bundle = bundle,
                     .output = options.output.empty() ? bundle / "smaller-plan.json" : std::filesystem::path(options.output),
                     .most_tries = options.tries});
  if (shrunk) return 0;
  fmt::print(stderr, "arena-chaos: {}\n", shrunk.error().text());
  return shrunk.error().code == ErrorCode::invalid ? kExitUsage : kExitCouldNotRun;
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
  app.footer(
      "Exit codes: 0 passed; 1 violations; 2 wrong command line; 3 vacuous, it shows less than it should; 4 cut short or could "
      "not run");
  Options options;
  const auto choice = [&](CLI::App* verb) {
    verb->add_option("--only", options.only, "Only faults whose names fit this glob");
    verb->add_flag("--with-planted", options.with_planted, "Also those that only pretend, to try this tool itself");
  };
  const auto making = [&](CLI::App* verb) {
    verb->add_option("--seed", options.plan.seed, "What everything random comes from");
    verb->add_option("--arenas", options.plan.arenas, "So many arenas")->check(CLI::Range(1, 500));
    choice(verb);
    return verb->add_option("--faults", options.plan.faults, "So many faults");
  };
  const auto reports = [&](CLI::App* verb) {
    verb->add_option("--report", options.report,
                     "Folder for report.html, report.json, junit.xml, plan.json, and a bundle of a failure");
    verb->add_option("--json", options.json, "File for the figures, as one flat object");
  };
  CLI::App* runs = app.add_subcommand("run", "Plays a plan, and judges what came of it");
  CLI::Option* faults = making(runs);
  CLI::Option* duration = runs->add_option("--duration", options.duration_s,
                                           "Goes on making steps from the seed for so long: seconds, or like 5m, 2h");
  duration->transform(CLI::AsNumberWithUnit(std::map<std::string, uint64_t>{{"s", 1}, {"m", 60}, {"h", 3600}}))
      ->excludes(faults);
  runs->add_option("--plan", options.plan_file, "Plays this plan instead of one from a seed")
      ->check(CLI::ExistingFile)
      ->excludes(faults)
      ->excludes(duration);
  reports(runs);
  auto* module = runs->add_option("--game", options.game, "A game of your own instead of the ledger: its module")
                     ->check(CLI::ExistingFile);
  auto* driver =
      runs->add_option("--driver", options.driver, "The program that plays it (arenad/driver.h)")->check(CLI::ExistingFile);
  module->needs(driver);
  driver->needs(module);
  CLI::App* plans = app.add_subcommand("plan", "Prints what a seed would do, as JSON");
  making(plans);
  CLI::App* lists = app.add_subcommand("list", "Tells what each fault does, and what must hold");
  choice(lists);
  CLI::App* replays =
      app.add_subcommand("replay", "Plays the plan of a failed run's bundle again, and says whether it comes to the same");
  replays->add_option("bundle", options.bundle, "The folder bundle-SEED")->required()->check(CLI::ExistingDirectory);
  reports(replays);
  CLI::App* shrinks = app.add_subcommand("shrink", "Finds fewer faults of a failed run's plan that still fail");
  shrinks->add_option("bundle", options.bundle, "The folder bundle-SEED")->required()->check(CLI::ExistingDirectory);
  shrinks->add_option("--tries", options.tries, "Runs at most")->check(CLI::Range(1, 100000));
  shrinks->add_option("--output", options.output, "The smaller plan; otherwise smaller-plan.json in the bundle");
  MutantsOptions mutants;
  CLI::App* plants =
      app.add_subcommand("mutants", "Plants known bugs in the programs, one at a time, and sees whether a run notices");
  plants->add_option("--only", mutants.only, "Only mutants whose names fit this glob; may be given several times");
  plants->add_option("--json", mutants.json, "Also write the figures to this file, as one flat object");
  sweep::SweepArguments swept;
  CLI::App* sweeps = app.add_subcommand(
      "sweep", "Has each process die at each crash point, or die or fail at each system call, from its first hit to its last");
  sweep::add_options(*sweeps, swept);
  std::vector<std::string> figures;
  CLI::App* joins = app.add_subcommand("join-figures", "Takes the figures of all these files into the first one");
  joins->add_option("FILE", figures, "As --json writes them")->required()->check(CLI::ExistingFile);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (*joins) return join(figures);
  if (*plants) return run_mutants(mutants);
  if (*sweeps) return sweep::run_sweep(std::move(swept));
  if (*lists) return list(options);
  if (*plans) return plan(options);
  if (*replays) return replay(options);
  if (*shrinks) return shrink(options);
  return run(options);
}
