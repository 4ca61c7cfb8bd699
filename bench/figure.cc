#include "bench/figure.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace arenad::bench {
namespace {

enum class Target { at_least, at_most, shown };

struct Definition {
  std::string_view name;
  std::string_view unit;
  int decimals;
  Target target;
  double bound;
};

constexpr std::array kDefinitions{
    Definition{"ipc.events_per_s", "/s", 0, Target::at_least, 10e6},
    Definition{"ipc.ratio_to_unix_socket", "x", 1, Target::at_least, 20},
    Definition{"ipc.wakeup_p50_us", "us", 1, Target::shown, 0},
    Definition{"ipc.wakeup_ratio", "x", 2, Target::at_most, 1.5},
    Definition{"recovery.p50_ms", "ms", 2, Target::at_most, 3},
    Definition{"recovery.p99_ms", "ms", 2, Target::at_most, 15},
    Definition{"arenas.started_per_s", "/s", 0, Target::at_least, 100},
    Definition{"arenas.running", "", 0, Target::at_least, 300},
    Definition{"arenas.late_p99_ms", "ms", 2, Target::at_most, 5},
    Definition{"arena.private_mib", "MiB", 2, Target::at_most, 2},
    Definition{"control.status_1000_ms", "ms", 1, Target::at_most, 100},
    Definition{"control.flood_wait_ms", "ms", 1, Target::at_most, 100},
    Definition{"control.flood_late_ms", "ms", 1, Target::at_most, 100},
    Definition{"arenad.idle_percent", "%", 2, Target::at_most, 2},
    Definition{"reload.pause_p50_ms", "ms", 2, Target::at_most, 3},
    Definition{"reload.pause_p99_ms", "ms", 2, Target::at_most, 16},
    Definition{"reload.rollback_p99_ms", "ms", 2, Target::at_most, 20},
    Definition{"snapshot.64k_us", "us", 1, Target::at_most, 200},
    Definition{"metrics.scrape_cost_percent", "%", 2, Target::at_most, 1},
    Definition{"metrics.scrape_cpu_percent", "%", 2, Target::at_most, 1},
    Definition{"metrics.frame_cost_percent", "%", 2, Target::at_most, 1},
    Definition{"logs.cost_percent", "%", 2, Target::at_most, 1},
    Definition{"python.gc_pause_max_ms", "ms", 3, Target::at_most, 1},
    Definition{"python.gc_pause_default_ms", "ms", 1, Target::shown, 0},
    Definition{"python.shared_percent", "%", 1, Target::at_least, 80},
    Definition{"python.private_mib", "MiB", 2, Target::at_most, 12},
    Definition{"python.arenas", "", 0, Target::at_least, 60},
    Definition{"python.late_p99_ms", "ms", 2, Target::at_most, 5},
    Definition{"python.recovery_p50_ms", "ms", 2, Target::at_most, 5},
    Definition{"python.start_p99_ms", "ms", 2, Target::at_most, 20},
    Definition{"python.read_ratio_to_pickle", "x", 2, Target::at_least, 1},
    Definition{"python.bytes_ratio_to_pickle", "x", 2, Target::at_most, 0.5},
    Definition{"python.heavy_call_late_frames", "", 0, Target::at_most, 0},
};

const Definition& definition_of(std::string_view name) {
  const auto found = std::ranges::find(kDefinitions, name, &Definition::name);
  ARENAD_ASSERT(found != kDefinitions.end());
  return *found;
}

std::string number(double value, const Definition& definition) {
  const std::string digits = fmt::format("{:.{}f}", value, definition.decimals);
  return definition.unit.empty() ? digits : fmt::format("{} {}", digits, definition.unit);
}

std::string target_text(const Definition& definition) {
  switch (definition.target) {
    case Target::at_least:
      return fmt::format(">= {:.15g}", definition.bound);
    case Target::at_most:
      return fmt::format("<= {:.15g}", definition.bound);
    case Target::shown:
      return "shown";
  }
  return {};
}

std::string_view verdict(double value, const Definition& definition) {
  switch (definition.target) {
    case Target::at_least:
      return value >= definition.bound ? "met" : "missed";
    case Target::at_most:
      return value <= definition.bound ? "met" : "missed";
    case Target::shown:
      return "";
  }
  return {};
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const Definition& definition : kDefinitions) names.emplace_back(definition.name);
  return names;
}

std::string figures_table(const std::vector<Measured>& figures) {
  std::string text = fmt::format("{:<25} {:>14}  {:<12} {:<7} {}\n", "name", "figure", "target", "", "");
  for (const Measured& figure : figures) {
    const Definition& definition = definition_of(figure.name);
    text += fmt::format("{:<25} {:>14}  {:<12} {:<7} {}\n", figure.name, number(figure.value, definition),
                        target_text(definition), verdict(figure.value, definition), figure.note);
  }
  return text;
}

std::string figures_json(const std::vector<Measured>& figures) {
  std::string text = "{";
  for (const Measured& figure : figures) {
    text += fmt::format("{}\"{}\": {:.10g}", text.size() == 1 ? "" : ", ", figure.name, figure.value);
  }
  return text + "}\n";
}

}  // namespace arenad::bench
