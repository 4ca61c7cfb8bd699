// What a run comes to. A run whose faults never were there, or after which nothing had to recover, shows nothing however green it is.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "chaos/run_record.h"

namespace arenad::chaos {

struct Judgement {
  Verdict verdict = Verdict::passed;
  std::vector<std::string> reasons;
};

// A violation outweighs everything, then an end before the time, then what was not shown.
Judgement judge(const RunRecord& record);

}  // namespace arenad::chaos
