// arenad-bench: measures what Arenad promises, as a table and as JSON. A missed target is shown, not punished: it exits with 1 only
// if something could not be measured.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fnmatch.h>
#include <fstream>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/benchmark.h"
#include "bench/guardian.h"

namespace {

using namespace arenad::bench;

constexpr int kExitNotMeasured = 1;
constexpr int kExitUsage = 2;

struct Options {
  std::string json;
  std::string only = "*";
  double scale = 1;
};

struct Benchmark {
  std::vector<std::string> gives;
  arenad::Result<Figures> (*measure)(const Conditions&);
};

const std::array kBenchmarks{
    Benchmark{{"ipc.events_per_s", "ipc.ratio_to_unix_socket"}, measure_ipc_throughput},
    Benchmark{{"ipc.wakeup_p50_us", "ipc.wakeup_ratio"}, measure_wakeup},
    Benchmark{{"recovery.p50_ms", "recovery.p99_ms"}, measure_recovery},
    Benchmark{{"arenas.started_per_s"}, measure_start_rate},
    Benchmark{{"arenas.running", "arenas.late_p99_ms", "arena.private_mib"}, measure_many_arenas},
    Benchmark{{"control.status_1000_ms", "control.flood_wait_ms", "control.flood_late_ms"}, measure_control},
    Benchmark{{"arenad.idle_percent"}, measure_idle_daemon},
    Benchmark{{"reload.pause_p50_ms", "reload.pause_p99_ms", "reload.rollback_p99_ms"}, measure_reload},
    Benchmark{{"snapshot.64k_us"}, measure_snapshot},
    Benchmark{{"metrics.scrape_cost_percent", "metrics.scrape_cpu_percent", "metrics.frame_cost_percent"}, measure_metrics},
    Benchmark{{"logs.cost_percent"}, measure_logs},
    Benchmark{{"python.gc_pause_max_ms", "python.gc_pause_default_ms"}, measure_python_collector},
    Benchmark{{"python.arenas", "python.late_p99_ms", "python.shared_percent", "python.private_mib"}, measure_python_arenas},
    Benchmark{{"python.recovery_p50_ms"}, measure_python_recovery},
    Benchmark{{"python.start_p99_ms"}, measure_python_start},
    Benchmark{{"python.read_ratio_to_pickle", "python.bytes_ratio_to_pickle"}, measure_python_reading},
    Benchmark{{"python.heavy_call_late_frames"}, measure_python_heavy_call},
};

bool wanted(const Options& options, const std::string& name) {
  return ::fnmatch(options.only.c_str(), name.c_str(), 0) == 0;
}

int run(const Options& options, const std::filesystem::path& folder) {
  int code = 0;
  Figures figures;
  for (const Benchmark& benchmark : kBenchmarks) {
    if (std::ranges::none_of(benchmark.gives, [&](const auto& name) { return wanted(options, name); })) continue;
    fmt::print(stderr, "measuring {}\n", fmt::join(benchmark.gives, ", "));
    auto measured = benchmark.measure({folder, options.scale});
    if (!measured) {
      fmt::print(stderr, "arenad-bench: {}: not measured: {}\n", benchmark.gives.front(), measured.error().text());
      code = kExitNotMeasured;
      continue;
    }
    std::ranges::copy_if(*measured, std::back_inserter(figures),
                         [&](const Measured& figure) { return wanted(options, figure.name); });
  }
  fmt::print("{}", figures_table(figures));
  if (options.json.empty()) return code;
  std::ofstream file(options.json);
  file << figures_json(figures);
  file.close();
  if (file) return code;
  fmt::print(stderr, "arenad-bench: cannot write {}\n", options.json);
  return kExitNotMeasured;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures what Arenad promises");
  Options options;
  app.add_option("--json", options.json, "Also write the figures to this file, as one flat object");
  app.add_option_function<std::string>(
      "group", [&](const std::string& group) { options.only = group + ".*"; },
      "Measure only figures of this group, such as reload: the same as --only 'reload.*'");
  app.add_option("--only", options.only, "Measure only figures whose name matches this glob, such as 'ipc.*'");
  app.add_option("--seconds-scale", options.scale, "Measure so many times as long as usual")->check(CLI::Range(0.01, 100.0));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const auto names = figure_names();
  if (std::ranges::none_of(names, [&](const auto& name) { return wanted(options, name); })) {
    fmt::print(stderr, "arenad-bench: no figure matches {}. There are: {}\n", options.only, fmt::join(names, ", "));
    return kExitUsage;
  }
  return run_guarded([&](const auto& folder) { return run(options, folder); });
}
