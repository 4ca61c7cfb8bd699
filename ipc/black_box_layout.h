// What a worker leaves of its own end, in its incarnation region at kBlackBoxOffset. Written by the worker alone: the objects before it
// goes live, the rest by signal handlers (worker/black_box.cc). arenad reads it when the worker is dead, and a slow note when its
// sequence has moved; it believes nothing of it without a check.
//
//   offset  bytes
//        0    448  DeathNote
//      448    448  SlowNote
//      896      8  object_count
//      904   7104  objects: MappedObject[37]
//     8008    184  reason: what the host had to say before it ended the process, a text that ends with a zero
//
// A note's last store is its `written` word, a release store; what stands behind it was complete before. The handler of a fatal signal
// stores 1 when the facts are there and 2 when the stack is, because looking for the stack may fail too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ipc/incarnation_layout.h"

namespace arenad {

constexpr size_t kStackDepth = 48;
constexpr size_t kMaxMappedObjects = 37;

// A file that is mapped into the worker, as it was when the worker began.
struct MappedObject {
  uint64_t begin;  // of its addresses
  uint64_t end;
  uint64_t bias;  // what is added to the addresses of the file's own symbols
  uint32_t build_id_bytes;
  uint8_t build_id[20];
  char path[144];  // ends with a zero; a longer one is cut off at its beginning
};
static_assert(sizeof(MappedObject) == 192);

struct StackAddresses {
  uint32_t depth;
  uint32_t unused;
  uint64_t addresses[kStackDepth];  // innermost first
};
static_assert(sizeof(StackAddresses) == 392);

enum class EndKind : uint32_t { none = 0, signal = 1, exit = 2 };

struct DeathNote {
  std::atomic<uint32_t> written;  // 0: nothing, 1: all but the stack, 2: the stack too
  EndKind kind;
  uint32_t signal;
  int32_t code;      // si_code of the signal
  uint64_t address;  // si_addr of SIGSEGV, SIGBUS, SIGILL, SIGFPE
  uint32_t sender;   // si_pid, if a process has sent the signal
  int32_t exit_code;
  StackAddresses stack;
  int32_t system_call;    // si_syscall of SIGSYS
  uint32_t blames_event;  // 1: the game says that the end is the doing of the event that was being applied
  uint64_t at_ns;         // monotonic: when it was written; 0: by a worker that does not tell
  uint8_t unused_b[8];
};
static_assert(sizeof(DeathNote) == 448 && offsetof(DeathNote, stack) == 32);

struct SlowNote {
  std::atomic<uint64_t> written;  // counts the notes
  uint64_t frame;
  uint64_t ran_ns;  // how long the frame had run
  uint32_t phase;
  uint32_t unused_a;
  StackAddresses stack;
  uint8_t unused_b[24];
};
static_assert(sizeof(SlowNote) == 448 && offsetof(SlowNote, stack) == 32);

struct BlackBox {
  DeathNote death;
  SlowNote slow;
  uint32_t object_count;
  uint32_t unused;
  MappedObject objects[kMaxMappedObjects];
  char reason[184];
};
static_assert(offsetof(BlackBox, slow) == 448 && offsetof(BlackBox, objects) == 904 && offsetof(BlackBox, reason) == 8008);
static_assert(sizeof(BlackBox) <= kBlackBoxBytes);

}  // namespace arenad
