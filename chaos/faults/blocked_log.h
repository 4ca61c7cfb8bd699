// Nothing that arenad logs can be written for a while: what the faults of its log have in common.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

std::string cannot_block_log(const Stage& stage);
// Fault::inject, or the first part of it.
Result<void> block_log(Stage& stage, const Strike& strike);
// Fault::fired: arenad has something to say, and stands in the middle of it.
bool log_is_blocked(const Stage& stage, const Strike& strike);
// Fault::heal.
Result<void> unblock_log(Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
