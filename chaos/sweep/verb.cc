#include "chaos/sweep/verb.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "chaos/files.h"
#include "chaos/sweep/report.h"
#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

constexpr int kExitViolated = 1;
constexpr int kExitUsage = 2;
constexpr int kExitVacuous = 3;
constexpr int kExitCouldNotRun = 4;

int failed(int code, const std::string& why) {
  fmt::print(stderr, "arena-chaos: {}\n", why);
  return code;
}

Result<Trap> parse_trap(const std::string& text) {
  const size_t hash = text.find('#');
  const std::string name = text.substr(0, hash);
  const auto found = std::find(kCrashPoints.begin(), kCrashPoints.end(), name);
  if (found == kCrashPoints.end()) return make_error(ErrorCode::invalid, "--at: there is no crash point " + name);
  Trap trap{.point = static_cast<size_t>(found - kCrashPoints.begin())};
  if (hash == std::string::npos) return trap;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + hash + 1, end, trap.hit);
  if (error == std::errc() && at == end && trap.hit != 0) return trap;
  return make_error(ErrorCode::invalid, "--at: not a hit: " + text.substr(hash + 1));
}

template <class Choices>
auto by_name(const Choices& choices) {
  std::map<std::string, typename Choices::value_type> names;
  for (const auto choice : choices) names[to_string(choice)] = choice;
  return CLI::CheckedTransformer(names);
}

int exit_code(const SweepReport& report) {
  if (report.cut_short) return kExitCouldNotRun;
  if (report.is_clean()) return 0;
  const bool is_only_vacuous =
      report.failing == 0 && report.second_failing == 0 && report.other_failing == 0 && report.failures.empty();
  return is_only_vacuous ? kExitVacuous : kExitViolated;
}

int sweep_all(const SweepOptions& options, const std::string& json) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto signals = chaos::StopSignals::take();
  if (!signals) return failed(kExitCouldNotRun, signals.error().text());
  Sweep sweep(options, std::filesystem::temp_directory_path(), *signals, [](const std::string& text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  });
  const SweepReport report = sweep.run();
  fmt::print("{}", report_text(report));
  if (!json.empty()) {
    if (auto written = chaos::write_file(json, report_json(report)); !written)
      return failed(kExitCouldNotRun, written.error().text());
  }
  return exit_code(report);
}

}  // namespace

void add_options(CLI::App& verb, SweepArguments& arguments) {
  verb.add_flag("--short", arguments.is_short, "First, middle and last hit of each point only");
  verb.add_flag("--list", arguments.list, "Print the names of all points");
  verb.add_option("--only", arguments.options.only, "A glob over the names of points")->capture_default_str();
  verb.add_option("--seed", arguments.options.seed, "Of the pairs of faults; without it, a new one")
      ->each([&arguments](const std::string&) { arguments.has_seed = true; });
  verb.add_option("--json", arguments.json, "Also write what came out to this file, as one flat object");
  verb.add_option("--at", arguments.at, "One run alone, with this point armed: NAME#HIT; twice for a second fault")
      ->expected(1, 2)
      ->each([&arguments](const std::string&) { arguments.is_single = true; });
  verb.add_option("--scenario", arguments.single.scenario, "One run alone: of this scenario")
      ->transform(by_name(kScenarios))
      ->each([&arguments](const std::string&) { arguments.is_single = true; });
  verb.add_option("--pace", arguments.single.pace, "One run alone: of an arena with or without ticks")
      ->transform(by_name(kPaces));
  verb.add_option("--action", arguments.action, "How a process dies there")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CrashAction>{{"kill", CrashAction::kill},
                                                                             {"abort", CrashAction::abort},
                                                                             {"segv", CrashAction::segv},
                                                                             {"exit", CrashAction::exit}}));
}

int run_sweep(SweepArguments arguments) {
  if (arguments.list) {
    for (const std::string_view name : kCrashPoints) fmt::print("{}\n", name);
    return 0;
  }
  if (arguments.at.size() > 2) return failed(kExitUsage, "--at: at most two");
  for (const std::string& text : arguments.at) {
    auto trap = parse_trap(text);
    if (!trap) return failed(kExitUsage, trap.error().text());
    trap->action = arguments.action;
    arguments.single.traps.push_back(*trap);
  }
  SweepOptions& options = arguments.options;
  if (arguments.is_single) options.single = arguments.single;
  if (arguments.is_short) options.depth = Depth::first_last;
  if (!arguments.has_seed) options.seed = random_u64() >> 32;
  if (!options.single) fmt::print("seed {}\n", options.seed);
  return sweep_all(options, arguments.json);
}

}  // namespace arenad::sweep
