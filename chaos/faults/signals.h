// Signals to the processes of a stage, as faults send them.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

// To the worker of the arena that is struck. An error if it has none that is known.
Result<void> signal_worker(const Stage& stage, size_t arena, int number);
Result<void> signal_arenad(const Stage& stage, int number);

}  // namespace arenad::chaos
