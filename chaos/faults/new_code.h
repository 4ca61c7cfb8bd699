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
// Until the arena runs it and is on probation, or that is over already.
Result<void> wait_for_probation(Stage& stage, const Strike& strike);
// Fault::settled: nothing is rolled out, and the arena runs.
bool no_rollout(Stage& stage, const Strike& strike);
// Fault::check.
Result<void> bad_module_is_not_there(Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
