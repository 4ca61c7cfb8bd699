// What a sweep came to, for people and for programs.
#pragma once

#include <string>

#include "chaos/sweep/call_sweep.h"
#include "chaos/sweep/sweep.h"

namespace arenad::sweep {

std::string report_text(const SweepReport& report);
// One flat object.
std::string report_json(const SweepReport& report);
std::string report_text(const CallSweepReport& report);
std::string report_json(const CallSweepReport& report);

}  // namespace arenad::sweep
