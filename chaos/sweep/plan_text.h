// Plans of single runs as words of a command line, so that whatever fails can be run again.
//
//   a crash point   NAME#HIT                 frame.recorded#3
//   a system call   ROLE.CALL#HIT=WAY        arenad.pwrite64#3=EIO; kill: the process dies; EIO+: from this hit on
#pragma once

#include <string>

#include "chaos/sweep/scenario.h"

namespace arenad::sweep {

std::string trap_text(const Trap& trap);
std::string trap_text(const CallTrap& trap);
// ROLE.CALL
std::string call_name(CallRole role, size_t call);
std::string way_text(const CallWay& way);
// The command that makes this run alone.
std::string command_for(const Plan& plan);

// One word into a plan; the action of a crash point is not part of it.
Result<void> add_trap(Plan& plan, const std::string& text, CrashAction action);

}  // namespace arenad::sweep
