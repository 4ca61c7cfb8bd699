// Mutants: `if (ARENAD_MUTANT("hang.never_ended")) ...` is a mistake that a program makes when it is told to, in order to see whether a test
// of the whole notices (arena-chaos mutants). At most one is planted: the one that the environment variable ARENAD_MUTANT names, which all
// processes of a run inherit.
//
// Compiled in only where crash points are (crash_point.h); otherwise the condition is false for the compiler, and nothing of it is left.
#pragma once

#include <optional>

#include "ipc/mutants.h"

namespace arenad {

constexpr const char* kMutantVariable = "ARENAD_MUTANT";

#ifdef ARENAD_CRASH_POINTS
// Index in kMutants; nothing: the program makes no mistakes.
extern const std::optional<size_t> planted_mutant;
#define ARENAD_MUTANT(name) (::arenad::planted_mutant == ::arenad::mutant(name))
#else
#define ARENAD_MUTANT(name) (static_cast<void>(::arenad::mutant(name)), false)
#endif

}  // namespace arenad
