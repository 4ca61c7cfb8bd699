// The benchmarks. Each runs alone, gives the figures that it is named for, or tells why it could not measure them.
#pragma once

#include <filesystem>
#include <vector>

#include "bench/figure.h"

namespace arenad::bench {

struct Conditions {
  std::filesystem::path folder;  // private to this run, and removed after it
  double scale = 1;              // of how long is measured
};

using Figures = std::vector<Measured>;

Result<Figures> measure_ipc_throughput(const Conditions& conditions);
Result<Figures> measure_wakeup(const Conditions& conditions);
Result<Figures> measure_recovery(const Conditions& conditions);
Result<Figures> measure_start_rate(const Conditions& conditions);
Result<Figures> measure_many_arenas(const Conditions& conditions);
Result<Figures> measure_control(const Conditions& conditions);
Result<Figures> measure_idle_daemon(const Conditions& conditions);
Result<Figures> measure_reload(const Conditions& conditions);
Result<Figures> measure_metrics(const Conditions& conditions);
Result<Figures> measure_logs(const Conditions& conditions);
Result<Figures> measure_snapshot(const Conditions& conditions);
// Games in Python (python_*.cc).
Result<Figures> measure_python_collector(const Conditions& conditions);
Result<Figures> measure_python_arenas(const Conditions& conditions);
Result<Figures> measure_python_recovery(const Conditions& conditions);
Result<Figures> measure_python_start(const Conditions& conditions);
Result<Figures> measure_python_reading(const Conditions& conditions);
Result<Figures> measure_python_heavy_call(const Conditions& conditions);

}  // namespace arenad::bench
