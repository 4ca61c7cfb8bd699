// A run as JUnit XML, which build servers read: a test case for each invariant and for each kind of fault. Pure.
//
//   invariant   violated: failure   never looked at: skipped
//   fault       never there, or not always recovered from: failure   what it takes is missing here: skipped
//
// A run that is cut short or could not go on is an error of a case of its own.
#pragma once

#include <string>

#include "chaos/run_record.h"

namespace arenad::chaos {

std::string junit_report(const RunRecord& record);

}  // namespace arenad::chaos
