// What the games of several arenas answer to one request is told in one message, which has a bound: each answer has as much room in it as the others.
// One that does not fit is replaced by a line that says so; that it was done is told always. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "arenad/result.h"
#include "ipc/limits.h"

namespace arenad {

// In bytes. Half of the message is left for names and the rest. arenas: not 0.
inline size_t room_of_each_reply(size_t arenas) {
  return limits::kMaxControlMessageBytes / 2 / arenas;
}

inline Result<std::string> reply_within(size_t room, Result<std::string> reply) {
  if (!reply && reply.error().message.size() > room) {
    return make_error(reply.error().code, "its refusal is too long to be told with those of so many arenas");
  }
  if (!reply || reply->size() <= room) return reply;
  return "done; its reply of " + std::to_string(reply->size()) + " bytes is too long to be told with those of so many arenas";
}

}  // namespace arenad
