// The words for kinds of incidents. Scripts rely on them, so a word never changes its meaning.
#pragma once

#include <string_view>

#include "cli/table.h"
#include "ipc/crash.capnp.h"

namespace arenad::cli {

constexpr std::string_view word_of(wire::IncidentKind kind) {
  switch (kind) {
    case wire::IncidentKind::CRASH:
      return "crash";
    case wire::IncidentKind::EXIT:
      return "exit";
    case wire::IncidentKind::KILLED:
      return "killed";
    case wire::IncidentKind::OUT_OF_MEMORY:
      return "out_of_memory";
    case wire::IncidentKind::HANG:
      return "hang";
    case wire::IncidentKind::SLOW:
      return "slow";
  }
  return "unknown";  // of a later arenad
}

// The worker survived a slow frame, and nothing else.
constexpr Tone tone_of(wire::IncidentKind kind) {
  return kind == wire::IncidentKind::SLOW ? Tone::changing : Tone::bad;
}

}  // namespace arenad::cli
