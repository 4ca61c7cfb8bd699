// Faults at crash points (ipc/crash_point.h): what strikes a process from within, at a place of its code and not at a moment of the clock.
#pragma once

#include <string_view>
#include <vector>

#include "chaos/fault.h"
#include "ipc/crash_action.h"

namespace arenad::chaos {

// What is missing where the programs have no crash points; empty: they have them.
std::string without_crash_points(const Stage& stage);
// The same, or where the cage of workers lets everything through that is not listed.
std::string without_cage(const Stage& stage);

// One of them, as the strike's random number has it.
std::string_view drawn_from(const std::vector<std::string_view>& points, const Strike& strike);

// For `prepare`: until the arena has a worker for which no other trap waits.
Result<void> wait_for_trap(Stage& stage, const Strike& strike);
// The struck arena's worker does this at one of its next hits of the point.
Result<void> trap_worker(Stage& stage, const Strike& strike, std::string_view point, CrashAction action, uint64_t argument = 0);
// arenad sleeps at its next hit of the point, also if that is another program of the same process by then.
Result<void> slow_down(Stage& stage, pid_t arenad, std::string_view point, uint64_t ms);
// It has, or it is not the arena's worker any more.
bool worker_trap_fired(const Stage& stage, const Strike& strike);
// Whichever process hits this point next, or so many hits later, is killed. Only for a fault that is `alone`.
void trap_next(Stage& stage, std::string_view point, uint64_t hit = 1);
// One more, after trap_next(); counts from when the first has gone off.
void trap_after_next(Stage& stage, std::string_view point);
// Both have, if two were set.
bool next_trap_fired(const Stage& stage, const Strike& strike);
bool both_traps_fired(const Stage& stage, const Strike& strike);

// By all processes, since the run began.
uint64_t hits_of(const Stage& stage, std::string_view point);

struct Within {
  const char* name;
  const char* does;
  CrashAction action;
  uint64_t argument = 0;
  const char* told;
  bool needs_arenad = false;
};
// The struck worker ends by what it does itself, somewhere in a frame.
Fault worker_ends_itself(const Within& what);
// The same, by what only a cage forbids.
Fault worker_breaks_cage(const Within& what);
// The struck worker is killed at one of these points, which every frame or every snapshot reaches.
Fault worker_killed_at(const char* name, const char* does, std::vector<std::string_view> points);

}  // namespace arenad::chaos
