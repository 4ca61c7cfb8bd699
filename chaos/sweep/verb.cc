#include "chaos/sweep/verb.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "chaos/files.h"
#include "chaos/random.h"
#include "chaos/sweep/plan_text.h"
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

template <class Choices>
auto by_name(const Choices& choices) {
  std::map<std::string, typename Choices::value_type> names;
  for (const auto choice : choices) names[to_string(choice)] = choice;
  return CLI::CheckedTransformer(names);
}

int exit_code(const SweepReport& report) {
  if (report.runs.cut_short) return kExitCouldNotRun;
  if (report.is_clean()) return 0;
  const bool is_only_vacuous =
      report.failing == 0 && report.second_failing == 0 && report.other_failing == 0 && report.runs.failures.empty();
  return is_only_vacuous ? kExitVacuous : kExitViolated;
}

int exit_code(const CallSweepReport& report) {
  if (report.runs.cut_short) return kExitCouldNotRun;
  if (!report.is_clean()) return kExitViolated;
  return report.is_vacuous() ? kExitVacuous : 0;
}

template <class AnySweep, class Options>
int sweep_all(const Options& options, Calls calls, const SweepArguments& arguments) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto signals = chaos::StopSignals::take();
  if (!signals) return failed(kExitCouldNotRun, signals.error().text());
  Runs runs(std::filesystem::temp_directory_path(), calls, arguments.most_failures, *signals, [](const std::string& text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  });
  const auto report = AnySweep(options, runs).run();
  fmt::print("{}", report_text(report));
  if (!arguments.json.empty()) {
    if (auto written = chaos::write_file(arguments.json, report_json(report)); !written)
      return failed(kExitCouldNotRun, written.error().text());
  }
  return exit_code(report);
}

int sweep_calls(SweepArguments arguments) {
  CallSweepOptions& options = arguments.calls;
  options.only = arguments.options.only;
  options.seed = arguments.options.seed;
  if (arguments.has_scenario) options.scenario = arguments.single.scenario;
  if (arguments.has_pace) options.pace = arguments.single.pace;
  if (arguments.is_short) options.extent.kind = CallExtent::Kind::first_last;
  if (arguments.is_short && !arguments.has_pairs) options.pairs = 10;
  if (options.extent.every > 1) {
    options.extent.kind = CallExtent::Kind::some;
    options.extent.first = 1 + chaos::Random(options.seed, "first hit").below(options.extent.every);
  }
  return sweep_all<CallSweep>(options, Calls::watched, arguments);
}

void list_names(const SweepArguments& arguments) {
  if (!arguments.sweeps_calls) {
    for (const std::string_view name : kCrashPoints) fmt::print("{}\n", name);
    return;
  }
  for (size_t call = 0; call < kIoCalls.size(); ++call) {
    fmt::print("{:<18}", kIoCalls[call].name);
    for (const CallWay& way : ways_of(kIoCalls[call])) fmt::print(" {}", way_text(way));
    fmt::print("\n");
  }
}

}  // namespace

void add_options(CLI::App& verb, SweepArguments& arguments) {
  verb.add_flag("--calls", arguments.sweeps_calls,
                "Of I/O system calls instead of crash points: arenad, templates and workers are killed at each hit of each "
                "call, and each "
                "call fails with each of its errors, once and for a while");
  verb.add_flag("--short", arguments.is_short,
                "First, middle and last hit of each point or call only, in the first scenario that reaches it");
  verb.add_option("--every", arguments.calls.extent.every, "With --calls: one hit in so many, from one on that the seed says")
      ->check(CLI::Range(uint64_t{1}, kMostCallHits))
      ->capture_default_str();
  verb.add_flag("--list", arguments.list, "Print the names of all points; with --calls, of all calls, and how each goes wrong");
  verb.add_option("--only", arguments.options.only, "A glob over the names of points; with --calls, over PROCESS.CALL")
      ->capture_default_str();
  verb.add_option("--way", arguments.calls.way,
                  "With --calls: a glob over how they go wrong: kill, ENOSPC, ENOSPC+ (for a while)")
      ->capture_default_str();
  verb.add_option("--pairs", arguments.calls.pairs,
                  "With --calls: how many pairs of faults, the second while everybody recovers")
      ->each([&arguments](const std::string&) { arguments.has_pairs = true; });
  verb.add_option("--seed", arguments.options.seed, "Of the pairs of faults; without it, a new one")
      ->each([&arguments](const std::string&) { arguments.has_seed = true; });
  verb.add_option("--stop-after", arguments.most_failures, "So much that is wrong, and there is no need for more")
      ->capture_default_str();
  verb.add_option("--json", arguments.json, "Also write what came out to this file, as one flat object");
  verb.add_option(
          "--at", arguments.at,
          "One run alone, with this point armed: NAME#HIT; or with this call: PROCESS.CALL#HIT=WAY; twice for a second fault")
      ->expected(1, 2);
  verb.add_option("--scenario", arguments.single.scenario,
                  "One run alone: of this scenario. With --calls and no --at: only in it")
      ->transform(by_name(kScenarios))
      ->each([&arguments](const std::string&) { arguments.has_scenario = true; });
  verb.add_option("--pace", arguments.single.pace,
                  "One run alone: of an arena with or without ticks. With --calls and no --at: only so")
      ->transform(by_name(kPaces))
      ->each([&arguments](const std::string&) { arguments.has_pace = true; });
  verb.add_option("--action", arguments.action, "How a process dies at a crash point")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CrashAction>{{"kill", CrashAction::kill},
                                                                             {"abort", CrashAction::abort},
                                                                             {"segv", CrashAction::segv},
                                                                             {"exit", CrashAction::exit}}));
}

int run_sweep(SweepArguments arguments) {
  if (arguments.list) {
    list_names(arguments);
    return 0;
  }
  if (arguments.at.size() > 2) return failed(kExitUsage, "--at: at most two");
  for (const std::string& text : arguments.at) {
    if (auto added = add_trap(arguments.single, text, arguments.action); !added)
      return failed(kExitUsage, added.error().text());
  }
  SweepOptions& options = arguments.options;
  const bool is_single = !arguments.at.empty() || (arguments.has_scenario && !arguments.sweeps_calls);
  if (is_single) options.single = arguments.single;
  const Calls calls = arguments.sweeps_calls || !arguments.single.calls.empty() ? Calls::watched : Calls::unwatched;
  if (const std::string why_not = calls == Calls::watched ? cannot_watch_calls() : std::string(); !why_not.empty()) {
    return failed(kExitCouldNotRun, "not run: " + why_not);
  }
  if (arguments.is_short) options.depth = Depth::first_last;
  if (!arguments.has_seed) options.seed = random_u64() >> 32;
  if (!options.single) fmt::print("seed {}\n", options.seed);
  if (arguments.sweeps_calls && !is_single) return sweep_calls(std::move(arguments));
  return sweep_all<Sweep>(options, calls, arguments);
}

}  // namespace arenad::sweep
