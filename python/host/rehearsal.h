// A worker that was forked a moment ago shares all its memory with the template, and each page that it changes is copied when it is touched first, which takes the machine
// microseconds. Python changes a page by looking at an object in it. So a worker that waits for its arena plays a little, and what it will need then is there.
//
// What plays is a game of Arenad's own (arenad/rehearsal.py) with the types of the real one, through the same host: nothing of the game's runs before its arena does.
#pragma once

#include "python/host/game_class.h"

namespace arenad::python {

void rehearse(const GameClass& game);

}  // namespace arenad::python
