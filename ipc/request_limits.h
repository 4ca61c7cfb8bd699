// How much a request may ask for at once, so that nobody keeps arenad from everything else with one message. Pure.
//
// arenad refuses what is more; who asks checks it before, as a message that is far too long is not even read (control_stream.h).
#pragma once

#include "arenad/result.h"
#include "ipc/control.capnp.h"

namespace arenad {

// Errors: invalid, with what was given and what the limit is. May throw kj::Exception on a message that lies about itself, as reading it does
// anywhere.
Result<void> check_request(wire::Request::Reader request);

// A name is looked up; these are compared with every arena.
bool is_pattern(std::string_view selector);

}  // namespace arenad
