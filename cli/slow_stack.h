// What a report of a slow frame says of where the time went: the calls of the game's own language and, above them, the native ones that make
// sense to who has written the game. Pure.
//
//   the script's first line       | what is shown, innermost first
//   ------------------------------+-------------------------------------------------------------------------------------------------
//   none: no script               | the native stack
//   "function (file:line)"        | the script's lines
//   "native code, ..."            | the native calls up to the interpreter's own loop, then the script's lines
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/stack_symbols.h"
#include "ipc/crash.capnp.h"

namespace arenad::cli {

enum class Language { script, native };

// Printable.
struct SlowCall {
  std::string name;
  Language language = Language::native;
  auto operator<=>(const SlowCall&) const = default;
};

struct SlowFrameFacts {
  uint64_t id = 0;
  std::string arena;  // its name
  int64_t at_unix_ms = 0;
  uint64_t ran_ms = 0;  // when it was caught
  std::string phase;
  std::string call_site;
  std::vector<SlowCall> calls;  // innermost first
};

SlowFrameFacts slow_frame_of(wire::Crash::Reader report, const StackSymbols& symbols);

}  // namespace arenad::cli
