// One short life of one arena, in which a crash point or a system call may be armed: whatever dies or fails, everything must
// come to the same end.
//
//   play        start, two players, entries one by one and in a burst, results, a checkpoint, stop, start again from the database
//   recovery    the same, and the worker is killed in the middle: all frames are run again
//   adoption    arenad is killed in the middle
//   everybody   arenad and the worker are killed at the same time
//   templates   the templates are killed before the start
//   handover    another version of the game takes over in the middle
//   takeback    the same, and it dies in its first frame: the old version takes over again
//   upgrade     arenad gives its place to another program in the middle
//   rollout     as handover, and arenad is killed in the middle of it: the next one goes on with it
//
// The arena's end is judged by what the players have heard (chaos/rig/ledger_model.h), by what the database has, by the processes
// that are there, and by whether arenactl's status tells the truth of them.
#pragma once

#include <string>
#include <vector>

#include "chaos/rig/rig.h"
#include "chaos/sweep/call_table.h"

namespace arenad::sweep {

enum class Scenario { play, recovery, adoption, everybody, templates, handover, takeback, rollout, upgrade };
inline constexpr std::array kScenarios{Scenario::play,      Scenario::recovery,  Scenario::adoption,
                                       Scenario::everybody, Scenario::templates, Scenario::handover,
                                       Scenario::takeback,  Scenario::rollout,   Scenario::upgrade};
const char* to_string(Scenario scenario);

// Whether the arena has ticks.
enum class Pace { still, ticking };
inline constexpr std::array kPaces{Pace::still, Pace::ticking};
const char* to_string(Pace pace);

struct Trap {
  size_t point = 0;
  uint64_t hit = 1;
  CrashAction action = CrashAction::kill;
};

struct Plan {
  Scenario scenario = Scenario::play;
  Pace pace = Pace::still;
  std::vector<Trap> traps;      // none, one or two
  std::vector<CallTrap> calls;  // none, one or two
};

struct Outcome {
  std::vector<bool> fired;            // of each trap, then of each call
  std::vector<uint64_t> hits;         // of each point, while the traps were armed
  std::vector<uint64_t> calls;        // by count_index(); empty: nobody counted
  std::vector<std::string> problems;  // none: all is well
  uint64_t frames_compared = 0;
};

// number: of the run; arenas are named by it. calls: of the processes of the rig; nullptr: they have none.
Outcome run_scenario(Rig& rig, const Plan& plan, uint64_t number, CallTable* calls = nullptr);

}  // namespace arenad::sweep
