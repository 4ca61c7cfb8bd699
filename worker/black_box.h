// The worker's side of the black box (ipc/black_box_layout.h): the handlers of fatal signals, of an exit in the middle of a match, and of
// the signal by which arenad asks where a slow frame is.
//
// A signal handler has no object to be called on, so there is one black box in a process, and this header is all that the rest sees
// of it. What the handlers use is made before them: the unwinder is loaded, the mapped objects are listed, the stack that they run on
// is there. They allocate nothing and wait for nothing; if one is struck by a fault itself, the signal's default action ends the
// process, and what was written until then stands.
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
// In a worker, with its region: from now on its end leaves a note there.
void open_black_box(Incarnation& region);
// Why the host is about to end the process.
void note_reason(std::string_view reason);
// The game blames the event that is being applied for the end that comes now.
void note_blame();
// The worker ends as it should: its exit is no crash.
void close_black_box();

}  // namespace arenad
