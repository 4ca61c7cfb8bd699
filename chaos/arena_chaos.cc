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
#include "chaos/command_line.h"
#include "chaos/files.h"
#include "chaos/joined_figures.h"
#include "chaos/private_namespaces.h"
#include "chaos/shrink.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;

constexpr int kExitUsage = 2;
constexpr int kExitCouldNotRun = 4;

int usage_error(const Error& error) {
  fmt::print(stderr, "arena-chaos: {}\n", error.text());
  return kExitUsage;
}

std::vector<std::string> chosen(const ChaosOptions& options) {
  std::vector<std::string> names;
  for (const Fault& fault : all_faults()) {
    if (!fault.pretends.empty() && !options.with_planted) continue;
    if (::fnmatch(options.only.c_str(), fault.name.c_str(), 0) == 0) names.push_back(fault.name);
  }
  return names;
}

int list(const ChaosOptions& options) {
  for (const std::string& name : chosen(options)) {
    const Fault& fault = *find_fault(name);
    fmt::print("{}\n    {}\n    must hold: {}\n", fault.name, fault.does, fault.holds);
  }
  return 0;
}

Result<Plan> plan_of(const ChaosOptions& options) {
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

int plan(const ChaosOptions& options) {
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

std::vector<std::pair<std::string, std::string>> named(const ChaosOptions& options) {
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
std::string again(const ChaosOptions& options) {
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

int run(const ChaosOptions& options, const std::string& namespaces) {
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
                      .again = again(options),
                      .namespaces = namespaces});
}

std::string text_of(const ReportedVerdict& verdict) {
  return verdict.violated.empty() ? verdict.verdict
                                  : fmt::format("{} ({})", verdict.verdict, fmt::join(verdict.violated, ", "));
}

int replay(const ChaosOptions& options, const std::string& namespaces) {
  auto bundle = read_bundle(options.bundle);
  if (!bundle) return usage_error(bundle.error());
  auto record = run_chaos({.plan = bundle->plan,
                           .report = options.report,
                           .json = options.json,
                           .options = {{"replay", options.bundle}},
                           .again = "arena-chaos replay " + shell_word(options.bundle),
                           .namespaces = namespaces});
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

int shrink(const ChaosOptions& options) {
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
  ChaosCommandLine given;
  const auto app = chaos_command_line(given);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const auto is_named = [&](const CLI::App* verb) { return verb->check_name(argv[1]); };
    const bool is_unknown = argc > 1 && argv[1][0] != '-' && app->get_subcommands(is_named).empty();
    if (!is_unknown) return app->exit(error) == 0 ? 0 : kExitUsage;
    fmt::print(stderr, "arena-chaos: there is no verb '{}'; arena-chaos --help lists all\n", argv[1]);
    return kExitUsage;
  }
  const auto is = [&](const char* verb) { return app->got_subcommand(verb); };
  if (is("join-figures")) return join(given.figures);
  if (is("list")) return list(given.options);
  if (is("plan")) return plan(given.options);
  return in_private_namespaces([&](const std::string& namespaces) {
    if (is("mutants")) return run_mutants(given.mutants);
    if (is("sweep")) return sweep::run_sweep(std::move(given.sweep));
    if (is("replay")) return replay(given.options, namespaces);
    if (is("shrink")) return shrink(given.options);
    return run(given.options, namespaces);
  });
}
