// What a gate has found, for people, for programs, and for a CI that reads JUnit; and the file in which one keeps its measurements for another.
#pragma once

#include <span>
#include <string>

#include "cli/gate.h"
#include "cli/table.h"

namespace arenad::cli {

struct GateReport {
  std::string recording;  // which one: arena, epoch, frames
  std::string before;     // what it was compared with, for people; empty: the recording alone
  std::string after;
  std::vector<GateCheck> checks;
};

Table gate_table(std::span<const GateCheck> checks);
// {"gate": {"recording", "before", "after", "passed", "checks": [{"name", "before", "after", "change", "verdict": "passed", "failed" or "different"}]}}
std::string gate_json(const GateReport& report);
// JUnit's XML, a test case for each check.
std::string gate_junit(const GateReport& report);

// {"baseline": {...}}
std::string baseline_json(const std::string& recording, const GateSide& side);
// Errors: invalid if it is none, or one of another recording.
Result<GateSide> read_baseline(const std::string& text, const std::string& recording);

}  // namespace arenad::cli
