// What a process does at a crash point where a trap waits for it: ways to die, to hang, to be slow, to take what there is, and to do what
// a cage forbids. What a game does sooner or later, done where and when a test wants it.
#pragma once

#include <cstdint>

namespace arenad {

enum class CrashAction : uint32_t {
  kill,
  abort,
  segv,  // the signal alone
  stop,
  exit,  // with 0
  // Its argument: the code.
  exit_with,
  throw_exception,
  write_to_nothing,  // address 16
  write_to_code,     // its own, which is mapped for reading
  divide_by_zero,
  overflow_stack,
  hang,  // busy, for ever
  // Their argument: milliseconds.
  burn,
  sleep,
  // Private memory, until there is none. Its argument: how many bytes of each MiB are filled; 0: all, which can take long.
  take_memory,
  // Descriptors until there are none. Its argument: milliseconds, after which they are given back; 0: never.
  take_descriptors,
  close_descriptors,  // all but the standard ones
  babble,             // a message that is none, on each socket
  shut_sockets,       // for both directions; the descriptors stay
  // What a cage forbids.
  fork_forever,
  start_threads,
  execute,
  open_socket,
  write_file,
  trace,
  kill_parent,
  truncate_memory,  // all that it shares, to nothing and to more
  // What it cannot do to memory that others read though its cage lets it try: holes, writing through descriptors, other seals.
  spoil_memory,
};

// Returns if the action is one that a process survives.
void carry_out(CrashAction action, uint64_t argument);

}  // namespace arenad
