// What a game in a language of its own has said of where it was (ipc/script_notes_layout.h), checked: lines of text that do nothing to a
// terminal, and not too many. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipc/script_notes_layout.h"

namespace arenad {

struct ScriptTrace {
  ScriptSource source = ScriptSource::none;
  std::vector<std::string>
      lines;  // a call each, innermost first; the first one may say what it was doing outside of the language
};

// The lines of a text from a worker, without empty ones.
std::vector<std::string> script_lines(std::string_view text);
// Of a copy, which may hold anything.
ScriptTrace script_trace(const ScriptText& copy);

}  // namespace arenad
