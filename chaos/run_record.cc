#include "chaos/run_record.h"

#include <algorithm>
#include <map>
#include <set>

#include "chaos/verdict.h"
#include "ipc/incarnation_layout.h"

namespace arenad::chaos {
namespace {

Fate fate_of(const Outcome& outcome) {
  if (outcome.lacked_something) return Fate::lacking;
  if (!outcome.not_run.empty()) return Fate::refused;
  return outcome.took_ms > 0 ? Fate::recovered : Fate::not_recovered;
}

std::vector<RecordedStep> steps_of(const Plan& plan, const ChaosFindings& findings) {
  std::vector<RecordedStep> steps;
  std::set<const Step*> over;
  for (const Outcome& outcome : findings.outcomes) {
    over.insert(outcome.step);
    steps.push_back({*outcome.step, fate_of(outcome), outcome.not_run, outcome.at_ms, outcome.took_ms});
  }
  for (const Step& step : plan.steps) {
    if (!over.contains(&step)) steps.push_back({step, Fate::not_reached, "", 0, 0});
  }
  return steps;
}

KindRecord described(const std::string& name) {
  KindRecord kind;
  kind.name = name;
  if (const Fault* fault = find_fault(name); fault != nullptr) {
    kind.does = fault->does;
    kind.holds = fault->holds;
  }
  return kind;
}

std::vector<KindRecord> kinds_of(const std::vector<RecordedStep>& steps) {
  std::map<std::string, KindRecord> kinds;
  std::map<std::string, std::vector<double>> took;
  for (const RecordedStep& one : steps) {
    KindRecord& kind = kinds.try_emplace(one.step.fault, described(one.step.fault)).first->second;
    kind.planned += 1;
    if (kind.why_not.empty()) kind.why_not = one.why;
    switch (one.fate) {
      case Fate::recovered:
        kind.fired += 1;
        kind.recovered += 1;
        took[kind.name].push_back(one.took_ms);
        break;
      case Fate::not_recovered:
        kind.fired += 1;
        break;
      case Fate::lacking:
        kind.lacking += 1;
        break;
      case Fate::refused:
      case Fate::not_reached:
        break;
    }
  }
  std::vector<KindRecord> list;
  for (auto& [name, kind] : kinds) {
    kind.took = Durations(std::move(took[name]));
    list.push_back(std::move(kind));
  }
  return list;
}

std::vector<RecordedDeath> deaths_of(const ChaosFindings& findings) {
  std::map<std::pair<size_t, uint64_t>, std::string> faults;  // by arena and epoch
  for (const Outcome& outcome : findings.outcomes) {
    for (const Outcome::Ended& ended : outcome.ended) {
      const auto [found, is_first] = faults.try_emplace({ended.arena, ended.epoch}, outcome.step->fault);
      if (!is_first || !outcome.was_alone) found->second.clear();
    }
  }
  std::vector<RecordedDeath> deaths;
  for (const ToldDeath& told : findings.deaths) {
    const auto found = faults.find({told.arena, told.epoch});
    deaths.push_back({told, found == faults.end() ? "" : found->second});
  }
  return deaths;
}

void add_parts(std::vector<KindRecord>& kinds, const std::vector<RecordedDeath>& deaths) {
  std::map<std::string, std::vector<ToldDeath>> by_fault;
  for (const RecordedDeath& death : deaths) by_fault[death.fault].push_back(death.told);
  for (KindRecord& kind : kinds) kind.parts = RecoveryParts(by_fault[kind.name]);
}

// Also those at which nothing began: what was not shown is to be seen.
std::vector<std::pair<std::string, uint64_t>> rungs_of(const ChaosFindings& findings) {
  std::vector<std::pair<std::string, uint64_t>> rungs;
  for (const Rung rung : {Rung::newest_slot, Rung::older_slot, Rung::checkpoint, Rung::init}) {
    const std::string name = rung_name(static_cast<uint32_t>(rung));
    const auto found = findings.rungs.find(name);
    rungs.emplace_back(name, found == findings.rungs.end() ? 0 : found->second);
  }
  return rungs;
}

}  // namespace

const char* name_of(Fate fate) {
  switch (fate) {
    case Fate::recovered:
      return "recovered";
    case Fate::not_recovered:
      return "not recovered";
    case Fate::lacking:
      return "not run";
    case Fate::refused:
      return "refused";
    case Fate::not_reached:
      return "not reached";
  }
  return "";
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::vacuous:
      return "vacuous";
    case Verdict::cut_short:
      return "cut short";
  }
  return "";
}

int exit_code_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return 0;
    case Verdict::failed:
      return 1;
    case Verdict::vacuous:
      return 3;
    case Verdict::cut_short:
      return 4;
  }
  return 4;
}

uint64_t RunRecord::fired() const {
  uint64_t sum = 0;
  for (const KindRecord& kind : kinds) sum += kind.fired;
  return sum;
}

uint64_t RunRecord::kinds_fired() const {
  return static_cast<uint64_t>(std::ranges::count_if(kinds, [](const KindRecord& kind) { return kind.fired != 0; }));
}

Durations RunRecord::took() const {
  std::vector<double> all;
  for (const KindRecord& kind : kinds) all.insert(all.end(), kind.took.sorted.begin(), kind.took.sorted.end());
  return Durations(std::move(all));
}

RecoveryParts RunRecord::parts() const {
  std::vector<ToldDeath> all;
  for (const RecordedDeath& death : deaths) all.push_back(death.told);
  return RecoveryParts(all);
}

RunRecord record_of(const Plan& plan, const ChaosFindings& findings, std::string broke) {
  RunRecord record;
  record.plan = plan;
  record.steps = steps_of(plan, findings);
  record.successions = findings.successions;
  record.arenads_ms = findings.arenads_ms;
  record.kinds = kinds_of(record.steps);
  record.deaths = deaths_of(findings);
  add_parts(record.kinds, record.deaths);
  record.invariants = findings.invariants;
  record.rungs = rungs_of(findings);
  record.final_states = findings.final_states;
  record.figures = findings.figures;
  record.not_shown = findings.not_shown;
  record.entries = findings.entries;
  record.frames_compared = findings.frames_compared;
  record.worker_ends = findings.worker_ends;
  record.arenad_ends = findings.arenad_ends;
  record.seconds = findings.seconds;
  record.broke = std::move(broke);
  record.cut_short = findings.cut_short;
  Judgement judgement = judge(record);
  record.verdict = judgement.verdict;
  record.reasons = std::move(judgement.reasons);
  return record;
}

}  // namespace arenad::chaos
