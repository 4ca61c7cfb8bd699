// Changes of an arena's code under play: what the faults that make them have in common.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

// The module that the arena does not run, of two that are as good: `ledger` and `ledger_good`.
Result<std::string> other_good_module(Stage& stage, const Strike& strike);
// Orders that the arena gets this module, and takes what arenad answers to it for an outcome too: it may refuse a bad one. An error only if
// nothing came of it.
Result<void> order_module(Stage& stage, const Strike& strike, const std::string& module);
// The same, on a probation that a module which is bad later on does not pass.
Result<void> order_module_on_long_probation(Stage& stage, const Strike& strike, const std::string& module);
// Orders it without waiting for an answer; again if none comes, or if another change is going on.
Result<void> order_in_the_background(Stage& stage, const Strike& strike, const std::string& module);
// Fault::settled: arenad has answered that, and nothing is rolled out.
bool order_is_answered(Stage& stage, const Strike& strike);
// Fault::check: by a refusal, and the arena has code that is as good as it had.
Result<void> order_was_refused(Stage& stage, const Strike& strike);
// A module of these bytes, ordered in the background.
Result<void> order_bytes(Stage& stage, const Strike& strike, const std::string& bytes);
// Of the module that arenas begin with.
Result<std::string> bytes_of_good_module();
// The arena gets a file of these bytes, which no arena can run.
using ModuleBytes = std::function<Result<std::string>(const Strike&)>;
Fault change_to_file_refused(const char* name, const char* does, ModuleBytes bytes);
// Until the arena runs it and is on probation, or that is over already.
Result<void> wait_for_probation(Stage& stage, const Strike& strike);
// Fault::settled: nothing is rolled out, and the arena runs.
bool no_rollout(Stage& stage, const Strike& strike);
// Fault::check.
Result<void> bad_module_is_not_there(Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
