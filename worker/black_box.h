// The worker's side of the black box (ipc/black_box_layout.h): the handlers of fatal signals, of an exit in the middle of a match, and of
// the signal by which arenad asks where a slow frame is.
//
// A signal handler has no object to be called on, so there is one black box in a process, and this header is all that the rest sees
// of it. What the handlers use is made before them: the unwinder is loaded, the mapped objects are listed, the stack that they run on
// is there. They allocate nothing and wait for nothing; if one is struck by a fault itself, the signal's default action ends the
// process, and what was written until then stands. The exception is the module's own `stack`, which looks at a language's data in the middle
// of whatever it was doing: it is asked last, and a fault in it is taken for an answer of nothing.
#pragma once

#include <string_view>

#include "ipc/black_box_layout.h"
#include "ipc/incarnation.h"

namespace arenad {

// arenad sends it to have a slow frame's stack written down. One that is ignored by default: it does no harm to a process that
// is not ready for it.
extern const int kWhereAreYouSignal;

// In a template, once its module is loaded: what all workers that are forked from it have in common.
void prepare_black_box();
// arenad_game::stack: writes where the game is in a language of its own; nullptr: it has none.
using AskScript = size_t (*)(char* text, size_t bytes);
// In a worker, with its region: from now on its end leaves a note there.
void open_black_box(Incarnation& region, AskScript ask_script);
// Why the host is about to end the process.
void note_reason(std::string_view reason);
// The game blames the event that is being applied for the end that comes now.
void note_blame();
// Where it was raised, in the game's own language, if the game says so: a call a line. Takes the place of the game's `stack` in the note of the end.
void note_traceback(std::string_view lines);
// The worker ends as it should: its exit is no crash.
void close_black_box();

}  // namespace arenad
