// Signals to the processes of a stage, as faults send them.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "chaos/fault.h"

namespace arenad::chaos {

// To the worker of the arena that is struck. An error if it has none that is known.
Result<void> signal_worker(Stage& stage, size_t arena, int number);
// For `prepare`: until it has one that lives.
Result<void> wait_for_worker(Stage& stage, const Strike& strike);
Result<void> signal_arenad(const Stage& stage, int number);
// SIGSTOP, and SIGCONT after so long, whatever the run does meanwhile: somebody may wait for an answer and keep the run from undoing it. An
// error if there is no process to be the first of them.
Result<void> stop_for(Stage& stage, const std::string& fault, const Strike& strike, uint64_t ms, std::vector<pid_t> processes);
// Fault::heal of it.
std::function<Result<void>(Stage&, const Strike&)> gone_on(const std::string& fault);
// When it answers: one that is not ready yet refuses to be upgraded.
Result<void> tell_arenad_to_upgrade(Stage& stage, const Strike& strike);
Result<void> signal_keeper(const Stage& stage, int number);

// The struck worker ends by a signal from outside, which arenad tells by this name.
Fault worker_ended_by(const char* name, int number, const char* told);
// arenad ends by a signal.
Fault arenad_ended_by(const char* name, const char* does, int number);
// Nothing ends by it: what arenad has written down that this signal does.
Fault arenad_takes(const char* name, const char* does, int number, int times);

}  // namespace arenad::chaos
