#include "cli/arena_state.h"

#include <array>

namespace arenad::cli {
namespace {

struct KnownState {
  std::string_view word;
  Standing standing;
};
constexpr std::array kKnownStates{
    KnownState{"running", Standing::running},   KnownState{"draining", Standing::running},
    KnownState{"probation", Standing::running}, KnownState{"failed", Standing::broken},
    KnownState{"lost", Standing::broken},       KnownState{"quarantined", Standing::broken},
    KnownState{"ended", Standing::finished},    KnownState{"stopped", Standing::finished},
};

}  // namespace

Standing standing_of(std::string_view state) {
  for (const KnownState& known : kKnownStates) {
    if (known.word == state) return known.standing;
  }
  return Standing::changing;
}

Tone tone_of(Standing standing) {
  switch (standing) {
    case Standing::running:
      return Tone::good;
    case Standing::changing:
      return Tone::changing;
    case Standing::broken:
      return Tone::bad;
    case Standing::finished:
      return Tone::plain;
  }
  return Tone::plain;
}

}  // namespace arenad::cli
