// arenactl __complete: what the completion of a shell asks, see packaging/completion/.
#pragma once

#include <span>
#include <string>

#include "cli/command.h"
#include "cli/exit_code.h"

namespace arenad::cli {

// What the scripts put in front of the words of a command line, which are then those behind the program's name; the last one is
// being typed, and may be empty.
inline constexpr const char* kCompletionWord = "__complete";

// Prints "files" if names of files are wanted, which shells know best; else "words", then a candidate in each line, behind a tab
// what it is. Says nothing else, whatever is wrong: an arenad that is not there only has no arenas.
ExitCode complete(const Commands& commands, std::span<const std::string> words);

}  // namespace arenad::cli
