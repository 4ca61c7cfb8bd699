// How long deaths were without notice, and the parts of the recoveries from them, as distributions. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "chaos/durations.h"
#include "chaos/told_death.h"

namespace arenad::chaos {

struct RecoveryParts {
  explicit RecoveryParts(const std::vector<ToldDeath>& told);

  uint64_t deaths = 0;
  uint64_t overtaken = 0;  // by the next death
  Durations detect;        // of all; start, load and replay of those that were recovered from
  Durations start;
  Durations load;
  Durations replay;
  Durations recovery;  // these three together
};

struct NamedPart {
  const char* name;
  const char* meaning;
  Durations RecoveryParts::*durations;
};
constexpr std::array<NamedPart, 5> kNamedParts{{
    {"detect",
     "until arenad heard of the death: since the kill, if arena-chaos itself has killed, else since the last sign of life",
     &RecoveryParts::detect},
    {"start", "until a successor had the arena", &RecoveryParts::start},
    {"load", "until its state was loaded", &RecoveryParts::load},
    {"replay", "until it decided frames", &RecoveryParts::replay},
    {"recovery", "start, load and replay together", &RecoveryParts::recovery},
}};

}  // namespace arenad::chaos
