#include "chaos/proof.h"

namespace arenad::chaos {
namespace {

// A name with a subject of its own stands as it is.
std::string whole_name(const std::string& name) {
  return name.find('.') == std::string::npos ? "prove." + name : name;
}
Figure at_least(const std::string& name, std::string key, double bound) {
  return {whole_name(name), std::move(key), Bar::at_least, bound};
}
Figure at_most(const std::string& name, std::string key, double bound) {
  return {whole_name(name), std::move(key), Bar::at_most, bound};
}
Figure shown(const std::string& name, std::string key) {
  return {whole_name(name), std::move(key), Bar::shown, 0};
}

// Ten thousand kills of workers, and what arenad grows by meanwhile. Few bots, so that most of the time goes into kills.
Part workers(Extent extent) {
  const bool whole = extent == Extent::whole;
  Part part{"workers",
            "chaos/arenad-demo",
            {"--arenas", "16", "--bots", "2", "--kill-every", "5", "--aim", "everything", "--seed", "1", "--kills",
             whole ? "10000" : "150", "--gauge"},
            {at_least("worker_kills", "kills", whole ? 10'000 : 150), at_most("worker_violations", "violations", 0)}};
  // Over a hundred kills a slope says nothing.
  if (whole) part.figures.push_back(at_most("rss_growth_kib_per_1000", "rss_growth_kib_per_1000", 16));
  part.figures.push_back(at_most("fd_growth", "fd_growth", 0));
  return part;
}

Part arenad(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"arenad",
          "chaos/arenad-demo",
          {"--arenas", "8", "--bots", "2", "--kill-every", "150", "--aim", "everything", "--victims", "mixed", "--seed", "1",
           "--kills", whole ? "300" : "12"},
          {at_least("arenad_kills", "arenad_kills", whole ? 300 : 12), at_most("arenad_violations", "violations", 0),
           at_most("arenad_kill_late_frames", "absence_late_frames", 0),
           shown("arenad_kill_late_frames_with_machine", "absence_late_with_machine"),
           shown("quiet_late_frames", "quiet_late_frames")}};
}

Part adoption(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"adoption",
          "chaos/arenad-prove",
          {"rounds-of-adoption", "--arenas", whole ? "100" : "30", "--rounds", whole ? "200" : "5"},
          {at_most("adoption_p99_ms", "adoption_p99_ms", 500), at_most("adoption_workers_changed", "workers_changed", 0)}};
}

Part everything(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"everything",
          "chaos/arenad-demo",
          {"--arenas", whole ? "50" : "10", "--bots", "1", "--kill-every", "500", "--victims", "everything", "--seed", "1",
           "--kills", whole ? "12" : "3"},
          {at_most("all_killed_back_ms", "all_back_max_ms", 2000), at_most("all_killed_lost", "violations", 0)}};
}

// Every crash point of every process, from its first hit to its last. chaos/sweep
Part crash_points(Extent extent) {
  Part part{"crash-points",
            "chaos/arena-chaos",
            {"sweep"},
            {shown("crash_points", "prove.crash_points"), shown("crash_point_names", "prove.crash_point_names"),
             at_most("crash_points_failing", "prove.crash_points_failing", 0),
             at_most("crash_points_never_reached", "prove.crash_points_never_reached", 0)}};
  if (extent == Extent::brief) part.arguments.emplace_back("--short");
  return part;
}

// tests/sim
Part simulation(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"simulation",
          "tests/sim/arenad-sim",
          {"--seeds", whole ? "10000" : "1000"},
          {at_least("sim_speedup", "sim_speedup", 1000), at_least("sim_seeds", "sim_seeds", whole ? 10'000 : 1000),
           at_most("sim_violations", "sim_violations", 0)}};
}

Part mutants(Extent) {
  return {"mutants",
          "tests/sim/arenad-sim",
          {"--mutants", "--seeds", "2000"},
          {shown("mutants_caught", "sim_mutants_caught"), at_most("mutants_missed", "sim_mutants_missed", 0)}};
}

// tests/sweep/roll.cc
Part reload(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"reload",
          "tests/sweep/arenad-roll",
          {"--arenas", whole ? "200" : "8", "--reloads", whole ? "100" : "0"},
          {at_least("reload.arenas", "arenas", whole ? 200 : 8), at_most("reload.violations", "violations", 0),
           at_most("reload.rss_growth_kib", "rss_growth_kib", 256)}};
}

// tests/sweep/upgrades.cc
Part upgrade(Extent extent) {
  const bool whole = extent == Extent::whole;
  return {"reload-upgrade",
          "tests/sweep/arenad-upgrades",
          {"--arenas", whole ? "30" : "6", "--upgrades", whole ? "100" : "5"},
          {at_least("upgrade.count", "count", whole ? 100 : 5), at_most("upgrade.late_frames", "late_frames", 0),
           shown("upgrade.late_frames_with_machine", "late_with_machine"), shown("upgrade.requests", "requests"),
           at_most("upgrade.failed_requests", "failed_requests", 0), at_most("upgrade.violations", "violations", 0)}};
}

}  // namespace

std::vector<Part> proof_parts(Extent extent) {
  return {workers(extent),    arenad(extent),  adoption(extent), everything(extent), crash_points(extent),
          simulation(extent), mutants(extent), reload(extent),   upgrade(extent)};
}

}  // namespace arenad::chaos
