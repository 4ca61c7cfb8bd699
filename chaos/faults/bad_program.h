// Upgrades of arenad to a program that does not deserve its place: what the faults of them have in common. Each program is one of
// those that are built of chaos/bad_arenad.cc, or a file of the fault's own.
#pragma once

#include <functional>
#include <string>

#include "chaos/fault.h"

namespace arenad::chaos {

// The path of the program.
using ProgramChoice = std::function<Result<std::string>(Stage&, const Strike&)>;
Result<std::string> bad_arenad(const char* mode);

// Fault::inject: asks arenad, and does not wait for its answer, so that players play on meanwhile.
std::function<Result<void>(Stage&, const Strike&)> asks_for_upgrade_to(ProgramChoice program, uint64_t timeout_ms);
// Fault::fired: there is an answer, or whoever was asked is not there any more.
bool upgrade_is_answered(const Stage& stage, const Strike& strike);
// The process that was asked runs the program.
bool program_has_taken_over(const Stage& stage, const Strike& strike);
Result<void> kill_who_was_asked(Stage& stage, const Strike& strike);
// Fault::settled: no process runs it any more.
bool nobody_runs_program(Stage& stage, const Strike& strike);

// A Fault: the program never takes over, and arenad says why.
Fault upgrade_refused(const char* name, const char* does, ProgramChoice program, uint64_t timeout_ms, const char* told);

}  // namespace arenad::chaos
