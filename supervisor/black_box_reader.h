// What a worker has left in its black box (ipc/black_box_layout.h), copied once and checked: it was written by a process that runs game
// code, and may be torn or a lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipc/incarnation.h"
#include "supervisor/script_trace.h"

namespace arenad {

struct TracedFrame {
  uint64_t address = 0;
  std::string object;    // the file that was mapped there; empty: unknown
  std::string build_id;  // hexadecimal
  uint64_t offset = 0;   // the address as the file's own symbols have it
};

struct EndNote {
  EndKind kind = EndKind::none;  // none: the worker could not leave one
  uint32_t signal = 0;
  int32_t code = 0;
  uint64_t address = 0;
  uint32_t sender = 0;
  int32_t system_call = 0;  // of SIGSYS
  int32_t exit_code = 0;
  uint64_t at_ns = 0;         // monotonic: when it was written; 0: not told
  bool blames_event = false;  // says the game, of the event that was being applied
  std::string reason;         // what the host said before it ended the process
  std::vector<TracedFrame> stack;
  ScriptTrace script;
};

struct SlowFrame {
  uint64_t number = 0;  // counts the notes of this worker
  FrameNumber frame;
  uint64_t ran_ns = 0;
  uint32_t phase = 0;
  std::vector<TracedFrame> stack;
  ScriptTrace script;
};

EndNote read_end_note(const IncarnationView& region);
// The newest one, if there is any after number `seen`.
std::optional<SlowFrame> read_slow_frame(const IncarnationView& region, uint64_t seen);
// Of the mapped file whose name ends like this path; empty if it is not known.
std::string build_id_of(const IncarnationView& region, const std::string& path);

}  // namespace arenad
