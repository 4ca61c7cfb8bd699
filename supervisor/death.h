// What a worker's end means: of which kind it was, in words, and whose doing. Pure.
//
//   how it ended                                   | kind          | whose doing
//   -----------------------------------------------+---------------+---------------
//   arenad ended it, because it did not move       | hang          | its own if it left a note; one that was stopped could not
//   exit in the middle of a match, whatever code   | exit          | its own
//   SIGKILL, and the kernel tells of lack of memory| out_of_memory | its own
//   SIGKILL                                        | killed        | from outside
//   another signal, sent by another process        | crash         | from outside
//   SIGABRT of its own, and its note blames        | crash         | of the event that it was applying
//     the event                                    |               |
//   another signal                                 | crash         | its own
//   unknown (not our child): as its note says; without a note as SIGKILL
#pragma once

#include <string>

#include "ipc/process.h"
#include "state/records.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/poison_watch.h"

namespace arenad {

struct DeathFacts {
  Exit exit;
  EndNote note;
  pid_t pid = 0;
  std::string ended_by_arenad;  // why; empty: it was not
  enum class Memory { enough_or_unknown, short_of, over_own_limit } memory = Memory::enough_or_unknown;
};

struct Death {
  IncidentKind kind = IncidentKind::crash;
  PoisonWatch::Doing doing = PoisonWatch::Doing::its_own;
  std::string cause;  // for people
};

Death judge_death(const DeathFacts& facts);

}  // namespace arenad
