// What a game must not do, and what every game does sooner or later.
#pragma once

#include <string>
#include <string_view>

namespace arenad::echo {

// How: "segv", "write" (to an address that is not mapped), "abort", "throw", "blame" (the event), "fpe", "ill", "overflow" (of the stack), "exit" (with 0),
// "_exit" (with 7), "kill" (itself, SIGKILL), "hang" (an endless loop), "sleep" (for some milliseconds), "burn" (the same, busy), "memory"
// (all that there is), or an attack (attacks.h), on process `ms` and the file. Does nothing if a path is given and no file is there; how often it may happen is up to who makes the file.
struct Misbehaviour {
  std::string how;
  std::string while_file;
  enum class File { stays, goes } file = File::stays;  // goes: removed first, so that it happens once
  unsigned ms = 0;
};

void misbehave(const Misbehaviour& misbehaviour);

}  // namespace arenad::echo
