// The wall clock of arenad and its workers is wrong for a while: what the faults of the clock have in common.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

std::string cannot_order_clock(const Stage& stage);
// Fault::inject: it jumps by up to a day, to either side.
Result<void> clock_jumps(Stage& stage, const Strike& strike);
// Fault::fired: arenad and the workers have asked for the time meanwhile.
bool clock_was_asked(const Stage& stage, const Strike& strike);
// Fault::heal: it jumps back.
Result<void> clock_is_right(Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
