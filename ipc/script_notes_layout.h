// What a game in a language of its own says of itself: where it was when a frame was slow and when the worker died. In the incarnation region, where
// its identity says. Written by the worker alone, by the handlers that write the notes of the black box (worker/black_box.cc) or, for
// an error of a callback, by the host before it ends the process. arenad believes nothing of it without a check.
//
//   offset  bytes
//        0   2048  ScriptText of the death
//     2048   2048  ScriptText of the newest slow frame
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arenad {

// What the first line of a stack begins with if the game was in a function that is none of its language.
constexpr std::string_view kNativeCode = "native code, ";

enum class ScriptSource : uint32_t {
  none = 0,
  stack = 1,  // where it was, as the module says it from within a handler
  error = 2,  // what the game said of an error of its own: where it was raised
};

struct ScriptText {
  // Its last store, a release store. Of the death: 1. Of a slow frame: SlowNote::written of the note that it belongs to, stored before that; 0
  // while it is written anew.
  std::atomic<uint64_t> written;
  uint32_t source;  // ScriptSource
  uint32_t bytes;
  char text[2032];  // a call a line, innermost first; the last one may be cut off
};
static_assert(sizeof(ScriptText) == 2048 && offsetof(ScriptText, text) == 16);

struct ScriptNotes {
  ScriptText death;
  ScriptText slow;
};
static_assert(sizeof(ScriptNotes) == 4096 && offsetof(ScriptNotes, slow) == 2048);

}  // namespace arenad
