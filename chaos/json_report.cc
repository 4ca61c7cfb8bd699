#include "chaos/json_report.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

namespace arenad::chaos {
namespace {

using nlohmann::ordered_json;

// What is not UTF-8 becomes U+FFFD.
std::string text_of(const ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string state_text(uint64_t state) {
  return fmt::format("{:016x}", state);
}

ordered_json json_of(const Durations& took) {
  return {
      {"count", took.sorted.size()}, {"p50_ms", took.quantile(0.5)}, {"p99_ms", took.quantile(0.99)}, {"max_ms", took.max()}};
}

ordered_json json_of(const RecoveryParts& parts) {
  ordered_json json{{"deaths", parts.deaths}, {"overtaken", parts.overtaken}};
  for (const NamedPart& part : kNamedParts) json[part.name] = json_of(parts.*part.durations);
  return json;
}

ordered_json json_of(const RunRecord& record, const RecordedDeath& death) {
  const auto told_or_null = [](double ms) { return ms == 0 ? ordered_json() : ordered_json(ms); };
  const ToldDeath& told = death.told;
  return {{"arena", record.plan.arenas[told.arena].name},
          {"epoch", told.epoch},
          {"report", told.id},
          {"fault", death.fault.empty() ? ordered_json() : ordered_json(death.fault)},
          {"detect_ms", told_or_null(told.detect_ms)},
          {"notice_ms", told_or_null(told.notice_ms)},
          {"recovery_ms", told_or_null(told.recovery_ms)},
          {"start_ms", told_or_null(told.start_ms)},
          {"load_ms", told_or_null(told.load_ms)},
          {"replay_ms", told_or_null(told.replay_ms)},
          {"overtaken_by", told.overtaken_by == 0 ? ordered_json() : ordered_json(told.overtaken_by)}};
}

ordered_json json_of(const Environment& found) {
  return {{"kernel", found.kernel},         {"architecture", found.architecture},
          {"processors", found.processors}, {"memory_bytes", found.memory_bytes},
          {"container", found.container},   {"user", found.user},
          {"namespaces", found.namespaces}};
}

const std::string& arena_name(const RunRecord& record, size_t arena) {
  return record.plan.arenas[arena].name;
}

ordered_json json_of(const RunRecord& record, const RecordedStep& one) {
  ordered_json json{{"fault", one.step.fault},   {"arena", arena_name(record, one.step.arena)},
                    {"at", one.step.at},         {"compound", one.step.compound},
                    {"fate", name_of(one.fate)}, {"at_ms", one.at_ms}};
  if (one.fate == Fate::recovered) json["recovered_after_ms"] = one.took_ms;
  if (!one.why.empty()) json["why"] = one.why;
  return json;
}

ordered_json json_of(const Violation& violation) {
  return {{"invariant", name_of(violation.invariant)},
          {"arena", violation.arena},
          {"text", violation.text},
          {"at_ms", violation.at_ms}};
}

ordered_json json_of(const KindRecord& kind) {
  return {{"name", kind.name},           {"does", kind.does},
          {"holds", kind.holds},         {"planned", kind.planned},
          {"fired", kind.fired},         {"recovered", kind.recovered},
          {"lacking", kind.lacking},     {"not_run", kind.is_not_run()},
          {"why_not", kind.why_not},     {"recovery", json_of(kind.took)},
          {"parts", json_of(kind.parts)}};
}

ordered_json invariants_of(const RunRecord& record) {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    list.push_back({{"name", name_of(invariant)},
                    {"meaning", meaning_of(invariant)},
                    {"looked_at", record.invariants.looked_at(invariant)},
                    {"violations", record.invariants.violations(invariant)}});
  }
  return list;
}

ordered_json lists_of_steps(const RunRecord& record) {
  ordered_json list = ordered_json::array();
  for (const RecordedStep& one : record.steps) list.push_back(json_of(record, one));
  return list;
}

uint64_t kinds_not_run(const RunRecord& record) {
  return static_cast<uint64_t>(std::ranges::count_if(record.kinds, &KindRecord::is_not_run));
}

}  // namespace

std::string json_report(const RunRecord& record) {
  ordered_json options = ordered_json::object();
  for (const auto& [name, value] : record.options) options[name] = value;
  ordered_json rungs = ordered_json::object();
  for (const auto& [name, count] : record.rungs) rungs[name] = count;
  ordered_json violations = ordered_json::array();
  for (const Violation& violation : record.invariants.kept()) violations.push_back(json_of(violation));
  ordered_json kinds = ordered_json::array();
  for (const KindRecord& kind : record.kinds) kinds.push_back(json_of(kind));
  ordered_json deaths = ordered_json::array();
  for (const RecordedDeath& death : record.deaths) deaths.push_back(json_of(record, death));
  ordered_json states = ordered_json::array();
  for (const uint64_t state : record.final_states) states.push_back(state_text(state));
  const ordered_json json{{"schema", kReportSchema},
                          {"verdict", name_of(record.verdict)},
                          {"reasons", record.reasons},
                          {"seed", record.plan.seed},
                          {"version", record.version},
                          {"commit", record.commit},
                          {"started", record.started},
                          {"seconds", record.seconds},
                          {"options", options},
                          {"again", record.again},
                          {"bundle", record.bundle},
                          {"environment", json_of(record.environment)},
                          {"entries", record.entries},
                          {"frames_compared", record.frames_compared},
                          {"worker_ends", record.worker_ends},
                          {"arenad_ends", record.arenad_ends},
                          {"recovery", json_of(record.took())},
                          {"parts", json_of(record.parts())},
                          {"invariants", invariants_of(record)},
                          {"violations", violations},
                          {"faults", kinds},
                          {"rungs", rungs},
                          {"final_states", states},
                          {"steps", lists_of_steps(record)},
                          {"deaths", deaths},
                          {"plan", ordered_json::parse(to_json(record.plan))}};
  return text_of(json, 1);
}

std::string json_figures(const RunRecord& record) {
  const Durations took = record.took();
  std::string states;
  for (const uint64_t state : record.final_states) states += state_text(state);
  ordered_json json{{"chaos.verdict", name_of(record.verdict)},
                    {"chaos.seed", record.plan.seed},
                    {"chaos.seconds", record.seconds},
                    {"chaos.arenas", record.plan.arenas.size()},
                    {"chaos.faults_planned", record.plan.steps.size()},
                    {"chaos.faults_fired", record.fired()},
                    {"chaos.fault_kinds_planned", record.kinds.size()},
                    {"chaos.fault_kinds_fired", record.kinds_fired()},
                    {"chaos.fault_kinds_not_run", kinds_not_run(record)},
                    {"chaos.violations", record.invariants.violations()},
                    {"chaos.worker_kills", record.worker_ends},
                    {"chaos.arenad_kills", record.arenad_ends},
                    {"chaos.entries", record.entries},
                    {"chaos.frames_compared", record.frames_compared},
                    {"chaos.recovery_p50_ms", took.quantile(0.5)},
                    {"chaos.recovery_p99_ms", took.quantile(0.99)},
                    {"chaos.recovery_max_ms", took.max()},
                    {"chaos.final_states", states}};
  const RecoveryParts parts = record.parts();
  json["chaos.deaths_told"] = parts.deaths;
  json["chaos.deaths_overtaken"] = parts.overtaken;
  for (const NamedPart& part : kNamedParts) {
    if (part.durations == &RecoveryParts::recovery) continue;
    const Durations& durations = parts.*part.durations;
    json[fmt::format("chaos.{}_p50_ms", part.name)] = durations.quantile(0.5);
    json[fmt::format("chaos.{}_p99_ms", part.name)] = durations.quantile(0.99);
    json[fmt::format("chaos.{}_max_ms", part.name)] = durations.max();
  }
  for (const auto& [name, figure] : record.figures) json[name] = figure;
  return text_of(json, 2);
}

std::string history_lines(const RunRecord& record) {
  std::vector<std::pair<uint64_t, ordered_json>> lines;
  const auto add = [&](uint64_t at_ms, const char* what, const ordered_json& details) {
    ordered_json line{{"at_ms", at_ms}, {"what", what}};
    line.update(details);
    lines.emplace_back(at_ms, std::move(line));
  };
  for (const RecordedStep& one : record.steps) {
    if (one.fate != Fate::not_reached) add(one.at_ms, "fault", json_of(record, one));
  }
  for (const Succession& succession : record.successions) {
    add(succession.at_ms, "worker replaced", {{"arena", arena_name(record, succession.arena)}, {"epoch", succession.epoch}});
  }
  for (const uint64_t at_ms : record.arenads_ms) add(at_ms, "arenad replaced", ordered_json::object());
  for (const Violation& violation : record.invariants.kept()) add(violation.at_ms, "violation", json_of(violation));
  std::ranges::stable_sort(lines, {}, [](const auto& line) { return line.first; });
  std::string text;
  for (const auto& [at_ms, line] : lines) text += text_of(line, -1);
  return text;
}

ReportedVerdict reported(const RunRecord& record) {
  ReportedVerdict verdict{name_of(record.verdict), {}};
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    if (record.invariants.violations(invariant) != 0) verdict.violated.insert(name_of(invariant));
  }
  return verdict;
}

Result<ReportedVerdict> reported_in(std::string_view json) {
  try {
    const auto from = nlohmann::json::parse(json);
    if (from.at("schema") != kReportSchema) {
      return make_error(ErrorCode::invalid, fmt::format("a report of another schema than {}", kReportSchema));
    }
    ReportedVerdict verdict{from.at("verdict"), {}};
    for (const auto& invariant : from.at("invariants")) {
      if (invariant.at("violations") != 0) verdict.violated.insert(invariant.at("name").get<std::string>());
    }
    return verdict;
  } catch (const nlohmann::json::exception& error) {
    return make_error(ErrorCode::invalid, fmt::format("not a report: {}", error.what()));
  }
}

}  // namespace arenad::chaos
