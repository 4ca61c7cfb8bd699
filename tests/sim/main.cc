// arenad-sim: runs seeds, and says what failed, when, and how to see it again.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "tests/sim/world.h"

namespace {

using namespace arenad::sim;

struct Options {
  std::optional<uint64_t> seed;
  uint64_t first = 1;
  uint64_t seeds = 2000;
  std::string json;
  Mutant mutant = Mutant::none;
  bool mutants = false;
  bool twice = false;
  Trace::Print print = Trace::Print::no;
};

struct Totals {
  uint64_t seeds = 0;
  uint64_t frames = 0;
  uint64_t faults = 0;
  uint64_t virtual_ns = 0;
  uint64_t violations = 0;
  uint64_t inconclusive = 0;
  uint64_t trace_hash = 0;
  Coverage coverage;
};

uint64_t wall_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

struct Outcome {
  std::optional<Violation> violation;
  uint64_t trace_hash = 0;
};

Outcome run_seed(uint64_t seed, const Options& options, Mutant mutant, Totals& totals) {
  World world(seed, mutant, options.print);
  Outcome outcome;
  try {
    world.run();
  } catch (const Inconclusive&) {
    ++totals.inconclusive;
  } catch (const Violation& violation) {
    outcome.violation = violation;
    ++totals.violations;
  }
  outcome.trace_hash = world.trace_hash();
  ++totals.seeds;
  totals.frames += world.checker().frames();
  totals.faults += world.faults();
  totals.virtual_ns += world.now();
  totals.trace_hash = (totals.trace_hash ^ outcome.trace_hash) * 0x100000001B3ull;
  totals.coverage.add(world.coverage());
  return outcome;
}

void print_violation(uint64_t seed, const Violation& v, Mutant mutant) {
  std::printf("seed %" PRIu64 " fails at %.6f ms, arena %" PRIu64 ": %s\n", seed, static_cast<double>(v.at_ns) / 1e6, v.arena,
              v.what.c_str());
  const auto name = std::string(kMutantNames[static_cast<size_t>(mutant)]);
  std::printf("again: arenad-sim --seed %" PRIu64 "%s%s --trace\n", seed, mutant == Mutant::none ? "" : " --mutant ",
              mutant == Mutant::none ? "" : name.c_str());
}

int run_batch(const Options& options) {
  Totals totals;
  const uint64_t began_ns = wall_ns();
  std::printf("seeds %" PRIu64 "..%" PRIu64 "\n", options.first, options.first + options.seeds - 1);
  for (uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const Outcome outcome = run_seed(seed, options, options.mutant, totals);
    if (outcome.violation) {
      if (totals.violations <= 20) print_violation(seed, *outcome.violation, options.mutant);
    } else if (options.twice) {
      Totals again;
      if (run_seed(seed, options, options.mutant, again).trace_hash != outcome.trace_hash) {
        std::printf("seed %" PRIu64 " gives another trace the second time\n", seed);
        ++totals.violations;
      }
    }
  }
  const double wall_s = static_cast<double>(wall_ns() - began_ns) / 1e9;
  const double speedup = static_cast<double>(totals.virtual_ns) / 1e9 / wall_s;
  uint64_t never = 0;
  for (size_t i = 0; i < kMetNames.size(); ++i) {
    if (totals.coverage.counts[i] != 0) continue;
    ++never;
    std::printf("never met: %s\n", std::string(kMetNames[i]).c_str());
  }
  if (totals.inconclusive != 0)
    std::printf("%" PRIu64 " seeds ended early: without a keeper a worker that had been taken for dead was adopted\n",
                totals.inconclusive);
  std::printf("%" PRIu64 " seeds, %" PRIu64 " frames, %" PRIu64
              " faults, %.0f s of virtual time in %.1f s: %.0f times, %" PRIu64 " violations, trace %016" PRIx64 "\n",
              totals.seeds, totals.frames, totals.faults, static_cast<double>(totals.virtual_ns) / 1e9, wall_s, speedup,
              totals.violations, totals.trace_hash);
  if (!options.json.empty()) {
    FILE* file = std::fopen(options.json.c_str(), "w");
    if (file == nullptr) {
      std::perror(options.json.c_str());
      return 2;
    }
    std::fprintf(file,
                 "{\"sim_seeds\": %" PRIu64 ", \"sim_first_seed\": %" PRIu64 ", \"sim_speedup\": %.0f, \"sim_frames\": %" PRIu64
                 ", \"sim_faults\": %" PRIu64 ", \"sim_trace_hash\": \"%016" PRIx64 "\", \"sim_violations\": %" PRIu64
                 ", \"sim_inconclusive\": %" PRIu64,
                 totals.seeds, options.first, speedup, totals.frames, totals.faults, totals.trace_hash, totals.violations,
                 totals.inconclusive);
    for (size_t i = 0; i < kMetNames.size(); ++i) {
      std::fprintf(file, ", \"sim_met_%s\": %" PRIu64, std::string(kMetNames[i]).c_str(), totals.coverage.counts[i]);
    }
    std::fprintf(file, "}\n");
    std::fclose(file);
  }
  // Few seeds cannot meet everything.
  const bool vacuous = never != 0 && options.seeds >= 1000 && options.mutant == Mutant::none;
  return totals.violations != 0 || vacuous ? 1 : 0;
}

int run_mutants(const Options& options) {
  uint64_t caught = 0;
  Totals totals;
  std::printf("first seed %" PRIu64 "\n", options.first);
  for (size_t m = 1; m < kMutantNames.size(); ++m) {
    const auto mutant = static_cast<Mutant>(m);
    std::optional<uint64_t> at;
    std::string what;
    for (uint64_t seed = options.first; seed < options.first + options.seeds && !at; ++seed) {
      const Outcome outcome = run_seed(seed, options, mutant, totals);
      if (!outcome.violation) continue;
      at = seed;
      what = outcome.violation->what;
    }
    if (at) ++caught;
    std::printf("%-40s %s\n", std::string(kMutantNames[m]).c_str(),
                at ? ("caught by seed " + std::to_string(*at) + ": " + what).c_str() : "NOT CAUGHT");
    // What catches it must be the mistake, not the seed.
    Totals unmutated;
    if (at && run_seed(*at, options, Mutant::none, unmutated).violation) {
      std::printf("    but seed %" PRIu64 " fails without it too\n", *at);
      --caught;
    }
  }
  std::printf("%" PRIu64 " of %zu mutants caught\n", caught, kMutantNames.size() - 1);
  if (!options.json.empty()) {
    FILE* file = std::fopen(options.json.c_str(), "w");
    if (file == nullptr) return 2;
    std::fprintf(file, "{\"sim_mutants\": %zu, \"sim_mutants_caught\": %" PRIu64 ", \"sim_mutants_missed\": %" PRIu64 "}\n",
                 kMutantNames.size() - 1, caught, kMutantNames.size() - 1 - caught);
    std::fclose(file);
  }
  return caught == kMutantNames.size() - 1 ? 0 : 1;
}

int run_one(const Options& options) {
  Totals totals;
  const Outcome outcome = run_seed(*options.seed, options, options.mutant, totals);
  std::printf("seed %" PRIu64 ": %" PRIu64 " frames, %" PRIu64 " faults, trace %016" PRIx64 "\n", *options.seed, totals.frames,
              totals.faults, outcome.trace_hash);
  if (outcome.violation) print_violation(*options.seed, *outcome.violation, options.mutant);
  return outcome.violation ? 1 : 0;
}

[[noreturn]] void usage(const char* problem) {
  std::fprintf(
      stderr,
      "arenad-sim: %s\n"
      "usage: arenad-sim [--seed S [--trace] | --seeds N [--first S|new] [--twice] | --mutants] [--mutant NAME] [--json FILE]\n"
      "       arenad-sim --list-mutants\n",
      problem);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 >= argc) usage("a value is missing");
      return argv[++i];
    };
    if (option == "--seed") {
      options.seed = std::strtoull(value(), nullptr, 0);
    } else if (option == "--seeds") {
      options.seeds = std::strtoull(value(), nullptr, 0);
    } else if (option == "--first") {
      const std::string_view first = value();
      options.first = first == "new" ? wall_ns() % 1'000'000'000'000 : std::strtoull(first.data(), nullptr, 0);
    } else if (option == "--json") {
      options.json = value();
    } else if (option == "--trace") {
      options.print = Trace::Print::yes;
    } else if (option == "--twice") {
      options.twice = true;
    } else if (option == "--mutants") {
      options.mutants = true;
    } else if (option == "--mutant") {
      const auto mutant = mutant_named(value());
      if (!mutant) usage("there is no such mutant; --list-mutants tells which there are");
      options.mutant = *mutant;
    } else if (option == "--list-mutants") {
      for (size_t m = 1; m < kMutantNames.size(); ++m) std::printf("%s\n", std::string(kMutantNames[m]).c_str());
      return 0;
    } else {
      usage("unknown option");
    }
  }
  if (options.seed) return run_one(options);
  return options.mutants ? run_mutants(options) : run_batch(options);
}
