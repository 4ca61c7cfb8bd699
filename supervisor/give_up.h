// The end of an arenad that cannot begin.
#pragma once

#include "arenad/result.h"

namespace arenad {

// What it cannot take up now, for want of descriptors or memory, the next one may: it ends on the spot, as if it had been killed.
// Workers go on without it, and the service manager keeps all that it has. To begin without what it could not take up would lose
// that, and an end in order would be one of the matches too.
[[noreturn]] void leave_it_to_the_next(const Error& error);

// A unit with RestartSec=0 would start arenad again and again with no pause between (packaging/arenad.service.in). arena-keeper
// has pauses of its own.
void pause_before_next_start();

}  // namespace arenad
