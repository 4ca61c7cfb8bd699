// What a request is called, whether it changes anything, and what it is about: for the audit trail. Pure.
#pragma once

#include <string>

#include "ipc/control.capnp.h"

namespace arenad {

enum class RequestEffect {
  reads,    // or is about the connection that it comes on: a client comes, and goes
  changes,  // arenas, arenad itself or what it goes by
};

struct RequestKind {
  const char* verb;  // as arenactl has it
  RequestEffect effect;
};

// May throw kj::Exception on a message that lies about itself, as reading it does anywhere. Nothing of what this build does not know.
RequestKind kind_of(wire::Request::Reader request);

// "duel-1 ladder-*", "all", "tanks from tanks.so", in few words; empty: nothing but the verb. The same exceptions.
std::string subject_of(wire::Request::Reader request);

}  // namespace arenad
