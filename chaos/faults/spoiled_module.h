// The module's file that arenad's configuration names, written over in place: by somebody who deploys with cp(1), or by a disk.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

// By random bytes, or to nothing, by the strike's random number; it stays the same file.
Result<void> spoil_module(Stage& stage, const Strike& strike);
// What was there is there again, in the same file.
Result<void> put_module_back(Stage& stage, const Strike& strike);
// Fault::fired: another worker has the arena, and the file was spoiled all the time.
bool has_another_worker(const Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
