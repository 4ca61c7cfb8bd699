#include "ipc/mutant.h"

#ifdef ARENAD_CRASH_POINTS
#include <cstdio>
#include <cstdlib>

namespace arenad {
namespace {

// A name that does not exist must not look like a mutant that does no harm.
std::optional<size_t> mutant_of_environment() {
  const char* name = ::getenv(kMutantVariable);
  if (name == nullptr) return std::nullopt;
  for (size_t i = 0; i < kMutants.size(); ++i) {
    if (kMutants[i] == name) return i;
  }
  std::fprintf(stderr, "%s=%s: there is no such mutant\n", kMutantVariable, name);
  std::abort();
}

}  // namespace

const std::optional<size_t> planted_mutant = mutant_of_environment();

}  // namespace arenad
#endif
