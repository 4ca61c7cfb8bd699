// A chaos run in a terminal: the line that shows how far it is, and the summary at its end. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "chaos/run_record.h"

namespace arenad::chaos {

struct Progress {
  double seconds = 0;
  double of_seconds = 0;  // 0: it ends after its plan
  uint64_t over = 0;      // faults
  uint64_t planned = 0;
  uint64_t worker_ends = 0;
  uint64_t arenad_ends = 0;
  uint64_t violations = 0;
};

// Without a line's end.
std::string progress_text(const Progress& progress);

// report: the folder that the reports are in; empty: there are none.
std::string closing_text(const RunRecord& record, const std::string& report);

}  // namespace arenad::chaos
