#include "chaos/mutants.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include "chaos/equipment.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/played_plan.h"
#include "chaos/private_folder.h"
#include "ipc/clock.h"
#include "ipc/mutant.h"

namespace arenad::chaos {
namespace {

constexpr int kExitNotCaught = 1;
constexpr int kExitUsage = 2;
constexpr int kExitCutShort = 130;
// What a mutant has taken is not waited for as long as in a run that is expected to be clean.
constexpr uint64_t kMutantPatienceMs = 8000;

struct Verdict {
  std::string name;  // of the mutant; empty: the run without one
  std::string run;
  std::string could_not;  // why there was no run; empty: there was one
  ChaosFindings findings;
  double seconds = 0;

  [[nodiscard]] bool is_clean() const { return could_not.empty() && findings.invariants.violations() == 0; }
  [[nodiscard]] bool is_as_wanted() const { return could_not.empty() && is_clean() == name.empty(); }
};

Verdict play(const NamedRun& run, std::string_view mutant_name, StopSignals& signals) {
  Verdict verdict{.name = std::string(mutant_name), .run = std::string(run.name)};
  const uint64_t began_ns = monotonic_ns();
  auto equipment = find_equipment();
  if (!equipment) {
    verdict.could_not = equipment.error().text();
    return verdict;
  }
  auto folder = PrivateFolder::make(equipment->room);
  if (!folder) {
    verdict.could_not = folder.error().text();
    return verdict;
  }
  const Plan plan = make_plan(run.options, run.faults);
  PlayOptions options;
  if (!mutant_name.empty()) {
    options.until = Until::first_violation;
    options.patience_ms = kMutantPatienceMs;
    ::setenv(kMutantVariable, verdict.name.c_str(), 1);
  }
  const auto played = play_plan(folder->path(), plan, signals, options, verdict.findings);
  ::unsetenv(kMutantVariable);
  if (!played) verdict.could_not = played.error().text();
  if (mutant_name.empty() && !verdict.is_clean()) folder->keep();
  verdict.findings.outcomes.clear();  // they point into the plan
  verdict.seconds = static_cast<double>(monotonic_ns() - began_ns) / 1e9;
  return verdict;
}

void print(const Verdict& verdict) {
  const std::string what = verdict.name.empty() ? "without any" : verdict.name;
  std::string said = verdict.could_not;
  if (said.empty() && verdict.findings.cut_short) said = "cut short";
  if (said.empty() && verdict.is_clean()) said = verdict.name.empty() ? "clean, as it must be" : "NOT CAUGHT";
  if (said.empty()) {
    const Violation& first = verdict.findings.invariants.kept().front();
    said = fmt::format("{}: {}: {} {}", verdict.name.empty() ? "NOT CLEAN" : "caught", name_of(first.invariant), first.arena,
                       first.text);
  }
  fmt::print("{:<42} {:<16} {:5.1f} s  {}\n", what, verdict.run, verdict.seconds, said);
  std::fflush(stdout);
}

std::string to_json(const std::vector<Verdict>& verdicts) {
  nlohmann::ordered_json object;
  uint64_t mutants = 0;
  uint64_t caught = 0;
  uint64_t unclean = 0;
  for (const Verdict& verdict : verdicts) {
    if (verdict.name.empty()) {
      unclean += verdict.is_as_wanted() ? 0 : 1;
      continue;
    }
    ++mutants;
    caught += verdict.is_as_wanted() ? 1 : 0;
  }
  object["chaos.mutants"] = mutants;
  object["chaos.mutants_caught"] = caught;
  object["chaos.mutants_runs_unclean_without"] = unclean;
  for (const Verdict& verdict : verdicts) {
    if (verdict.name.empty()) continue;
    const auto& kept = verdict.findings.invariants.kept();
    object["chaos.mutant." + verdict.name] = kept.empty() ? "" : name_of(kept.front().invariant);
  }
  return object.dump(2) + "\n";
}

}  // namespace

const std::vector<NamedRun>& named_runs() {
  static const std::vector<NamedRun> runs{
      {"deaths", {"worker.killed", "worker.segv"}, {.seed = 11, .arenas = 3, .faults = 36, .entries_between = 6}},
      {"hangs", {"worker.stopped"}, {.seed = 12, .arenas = 2, .faults = 2, .entries_between = 6}},
      {"adoptions", {"arenad.killed", "worker.killed"}, {.seed = 13, .arenas = 3, .faults = 18, .entries_between = 6}},
      {"everybody", {"everybody.killed"}, {.seed = 14, .arenas = 2, .faults = 6, .entries_between = 6}},
      {"unheard", {"worker.killed_while_nobody_hears"}, {.seed = 18, .arenas = 3, .faults = 3, .entries_between = 6}},
      {"lock", {"database.locked"}, {.seed = 17, .arenas = 2, .faults = 4, .entries_between = 6}},
      {"on the way",
       {"memory.unread_output_flipped", "memory.waiting_event_flipped"},
       {.seed = 21, .arenas = 2, .faults = 8, .entries_between = 6}},
      {"poison", {"client.sends_poison"}, {.seed = 19, .arenas = 2, .faults = 4, .entries_between = 6}},
      {"code", {"code.is_written_over"}, {.seed = 20, .arenas = 2, .faults = 4, .entries_between = 6}},
      {"damage", {"memory.newest_snapshot_damaged"}, {.seed = 15, .arenas = 2, .faults = 16, .entries_between = 10}},
  };
  return runs;
}

const NamedRun* find_run(std::string_view name) {
  const auto found = std::ranges::find(named_runs(), name, &NamedRun::name);
  return found == named_runs().end() ? nullptr : &*found;
}

const std::vector<PlantedMutant>& planted_mutants() {
  static const std::vector<PlantedMutant> mutants{
      {"snapshot.checksum_not_checked", "damage"},
      {"recovery.older_slot_first", "deaths"},
      {"recovery.output_sequence_begins_again", "deaths"},
      {"recovery.outputs_given_again", "deaths"},
      {"recovery.results_given_again", "deaths"},
      {"recovery.unread_outputs_dropped", "unheard"},
      {"recovery.waiting_events_dropped", "deaths"},
      {"replay.one_frame_too_few", "deaths"},
      {"replay.one_output_left_out", "deaths"},
      {"release.before_checkpoint", "damage"},
      {"orphan.gives_up_at_once", "adoptions"},
      {"event.damage_not_seen", "on the way"},
      {"output.published_without_check", "on the way"},
      {"death.epoch_reused", "deaths"},
      {"death.exit_not_told", "deaths"},
      {"death.neighbours_killed", "deaths"},
      {"death.poison_not_blamed", "poison"},
      {"death.recovery_part_left_out", "deaths"},
      {"death.region_left_open", "deaths"},
      {"death.region_not_kept", "everybody"},
      {"hang.never_ended", "hangs"},
      {"adoption.epoch_of_before", "adoptions"},
      {"adoption.living_not_waited_for", "adoptions"},
      {"adoption.results_acknowledged", "adoptions"},
      {"code.not_copied", "code"},
      {"checkpoint.acknowledged_before_commit", "lock"},
      {"checkpoint.never_written", "deaths"},
      {"results.one_left_out", "hangs"},
      {"status.frame_of_last_checkpoint", "hangs"},
      {"shutdown.sockets_left", "hangs"},
  };
  return mutants;
}

int run_mutants(const MutantsOptions& options) {
#ifndef ARENAD_CRASH_POINTS
  fmt::print(stderr, "arena-chaos: the programs are built without mutants (CMake's option ARENAD_CRASH_POINTS)\n");
  return kExitUsage;
#endif
  std::vector<PlantedMutant> chosen;
  std::ranges::copy_if(planted_mutants(), std::back_inserter(chosen), [&](const PlantedMutant& one) {
    const auto fits = [&](const std::string& glob) { return ::fnmatch(glob.c_str(), std::string(one.name).c_str(), 0) == 0; };
    return options.only.empty() || std::ranges::any_of(options.only, fits);
  });
  if (chosen.empty()) {
    fmt::print(stderr, "arena-chaos: no mutant fits {}; ipc/mutants.h names all\n", fmt::join(options.only, " "));
    return kExitUsage;
  }
  become_reaper();
  auto signals = StopSignals::take();
  if (!signals) {
    fmt::print(stderr, "arena-chaos: {}\n", signals.error().text());
    return kExitNotCaught;
  }
  std::vector<Verdict> verdicts;
  bool cut_short = false;
  const auto play_one = [&](const NamedRun& run, std::string_view mutant_name) {
    if (cut_short) return;
    verdicts.push_back(play(run, mutant_name, *signals));
    print(verdicts.back());
    cut_short = verdicts.back().findings.cut_short;
  };
  for (const NamedRun& run : named_runs()) {
    if (std::ranges::any_of(chosen, [&](const PlantedMutant& one) { return one.run == run.name; })) play_one(run, "");
  }
  for (const PlantedMutant& one : chosen) play_one(*find_run(one.run), one.name);
  if (cut_short) return kExitCutShort;
  const auto as_wanted = std::ranges::count_if(verdicts, &Verdict::is_as_wanted);
  fmt::print("{} of {} runs came out as they must: {} planted bugs\n", as_wanted, verdicts.size(), chosen.size());
  if (!options.json.empty()) {
    if (auto written = write_file(options.json, to_json(verdicts)); !written) {
      fmt::print(stderr, "arena-chaos: {}\n", written.error().text());
      return kExitNotCaught;
    }
  }
  return as_wanted == static_cast<ptrdiff_t>(verdicts.size()) ? 0 : kExitNotCaught;
}

}  // namespace arenad::chaos
