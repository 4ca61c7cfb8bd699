// What a run leaves behind. Orphans of the processes that it started come to this process, which is their reaper, so none can
// get away.
#pragma once

#include <string>
#include <vector>

namespace arenad::chaos {

// From now on this process inherits the orphans of its descendants.
void become_reaper();

// Waits until no process of the run is left, at most for grace_ms; kills and names what is left then.
std::vector<std::string> clear_litter(uint64_t grace_ms);

}  // namespace arenad::chaos
