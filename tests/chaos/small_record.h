// A small run as tests of verdicts and reports need it: findings that can be changed before they become a record.
#pragma once

#include "chaos/run_record.h"

namespace arenad::test {

// Two arenas and four steps, all of which were there and recovered; the second arena has a name that markup must not take for its own.
struct SmallRun {
  chaos::Plan plan;
  chaos::ChaosFindings findings;

  SmallRun() {
    plan.seed = 4711;
    plan.arenas = {{"chaos-0", 20, 100}, {"<b>\"&'", 0, 50}};
    plan.steps = {{"worker.killed", 0, 5, 1, false},
                  {"worker.killed", 0, 5, 2, true},
                  {"arenad.killed", 1, 7, 3, false},
                  {"worker.segv", 1, 9, 4, false}};
    recovered(0, 100, 12.5);
    recovered(1, 110, 700);
    recovered(2, 900, 33);
    recovered(3, 1500, 5);
    findings.seconds = 2;
    findings.worker_ends = 3;
    findings.arenad_ends = 1;
    findings.entries = 150;
    findings.frames_compared = 4321;
    findings.successions = {{0, 105, 2}, {0, 120, 3}, {1, 1501, 2}};
    findings.arenads_ms = {910};
    findings.outcomes[0].ended = {{0, 1}};
    findings.outcomes[1].ended = {{0, 2}};
    findings.outcomes[1].was_alone = false;
    findings.outcomes[3].ended = {{1, 1}};
    const auto death = [](uint64_t id, size_t arena, uint64_t epoch) {
      return chaos::ToldDeath{.id = id,
                              .arena = arena,
                              .epoch = epoch,
                              .detect_ms = 40,
                              .heard_ns = id * 1'000'000'000,
                              .recovery_ms = 7,
                              .start_ms = 1,
                              .load_ms = 2,
                              .replay_ms = 4,
                              .notice_ms = 0.25};
    };
    findings.deaths = {death(1, 0, 1), death(2, 0, 2), death(3, 1, 1)};
    findings.rungs = {{"newest slot", 3}};
    findings.final_states = {0xABCDEF, 7};
    for (size_t i = 0; i < chaos::kInvariants; ++i) findings.invariants.holds(static_cast<chaos::Invariant>(i), 10 + i);
  }
  void recovered(size_t step, uint64_t at_ms, double took_ms) {
    findings.outcomes.push_back({&plan.steps[step], "", at_ms, took_ms});
  }
  [[nodiscard]] chaos::RunRecord record(const std::string& broke = "") const {
    chaos::RunRecord record = record_of(plan, findings, broke);
    record.version = "1.2.3";
    record.commit = "0123abc";
    record.started = "2026-01-02T03:04:05Z";
    record.options = {{"--seed", "4711"}};
    record.again = "arena-chaos run --seed 4711 && echo <done>";
    record.environment = {"Linux 6.1", "x86_64", 2, uint64_t{4} << 30, "", "root"};
    return record;
  }
};

}  // namespace arenad::test
