// arenad-sweep: has each process die at each crash point, from its first hit to its last, and checks each time that nothing is lost.
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "chaos/files.h"
#include "ipc/clock.h"
#include "tests/sweep/report.h"
#include "tests/sweep/sweep.h"

namespace {

using namespace arenad;
using namespace arenad::sweep;

constexpr int kExitUsage = 2;

constexpr const char* kHelpOfExits =
    "Exit code: 0 all is well; 1 something is wrong, or a point was never reached; 2 the arguments are not right";

// NAME#HIT
Trap parse_trap(const std::string& text) {
  const size_t hash = text.find('#');
  const std::string name = text.substr(0, hash);
  const auto found = std::find(kCrashPoints.begin(), kCrashPoints.end(), name);
  if (found == kCrashPoints.end()) throw CLI::ValidationError("--at", "there is no crash point " + name);
  Trap trap{.point = static_cast<size_t>(found - kCrashPoints.begin())};
  if (hash == std::string::npos) return trap;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + hash + 1, end, trap.hit).ptr != end || trap.hit == 0) {
    throw CLI::ValidationError("--at", "not a hit: " + text.substr(hash + 1));
  }
  return trap;
}

template <class Choices>
auto by_name(const Choices& choices) {
  std::map<std::string, typename Choices::value_type> names;
  for (const auto choice : choices) names[to_string(choice)] = choice;
  return CLI::CheckedTransformer(names);
}

int run(const SweepOptions& options, const std::string& json) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto signals = chaos::StopSignals::take();
  if (!signals) {
    fmt::print(stderr, "arenad-sweep: {}\n", signals.error().text());
    return 1;
  }
  Sweep sweep(options, std::filesystem::temp_directory_path(), *signals, [](const std::string& text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  });
  const SweepReport report = sweep.run();
  fmt::print("{}", report_text(report));
  if (!json.empty()) {
    if (auto written = chaos::write_file(json, report_json(report)); !written) {
      fmt::print(stderr, "arenad-sweep: {}\n", written.error().text());
      return 1;
    }
  }
  return report.is_clean() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Kills each process of Arenad at each of its crash points, hit by hit, and checks that nothing is lost");
  SweepOptions options;
  std::string json;
  bool is_short = false;
  bool list = false;
  std::vector<std::string> at;
  Plan single;
  CrashAction action = CrashAction::kill;
  app.add_flag("--short", is_short, "First, middle and last hit of each point only");
  app.add_flag("--list", list, "Print the names of all points");
  app.add_option("--only", options.only, "A glob over the names of points")->capture_default_str();
  app.add_option("--seed", options.seed, "Of the pairs of faults; without it, a new one");
  app.add_option("--json", json, "Also write what came out to this file, as one flat object");
  auto* single_at =
      app.add_option("--at", at, "One run alone, with this point armed: NAME#HIT; twice for a second fault")->expected(1, 2);
  auto* scenario =
      app.add_option("--scenario", single.scenario, "One run alone: of this scenario")->transform(by_name(kScenarios));
  app.add_option("--pace", single.pace, "One run alone: of an arena with or without ticks")->transform(by_name(kPaces));
  app.add_option("--action", action, "How a process dies there")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CrashAction>{{"kill", CrashAction::kill},
                                                                             {"abort", CrashAction::abort},
                                                                             {"segv", CrashAction::segv},
                                                                             {"exit", CrashAction::exit}}));
  app.footer(kHelpOfExits);
  try {
    app.parse(argc, argv);
    for (const std::string& text : at) single.traps.push_back(parse_trap(text));
    if (single.traps.size() > 2) throw CLI::ValidationError("--at", "at most two");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (list) {
    for (const std::string_view name : kCrashPoints) fmt::print("{}\n", name);
    return 0;
  }
  for (Trap& trap : single.traps) trap.action = action;
  if (*single_at || *scenario) options.single = single;
  if (is_short) options.depth = Depth::first_last;
  if (app.count("--seed") == 0) options.seed = random_u64() >> 32;
  if (!options.single) fmt::print("seed {}\n", options.seed);
  return run(options, json);
}
