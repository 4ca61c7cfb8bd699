#include "chaos/recovery_parts.h"

namespace arenad::chaos {
namespace {

// Of each death, or of each that was recovered from.
enum class Which { all, recovered };

template <class Of>
Durations durations_of(const std::vector<ToldDeath>& told, Which which, Of&& of) {
  std::vector<double> milliseconds;
  for (const ToldDeath& death : told) {
    if (which == Which::all || death.is_recovered()) milliseconds.push_back(of(death));
  }
  return Durations(std::move(milliseconds));
}

Durations parts_of(const std::vector<ToldDeath>& told, double ToldDeath::*part) {
  return durations_of(told, Which::recovered, [&](const ToldDeath& death) { return death.*part; });
}

}  // namespace

RecoveryParts::RecoveryParts(const std::vector<ToldDeath>& told)
    : deaths(told.size()),
      detect(durations_of(told, Which::all, [](const ToldDeath& death) { return death.unnoticed_ms(); })),
      start(parts_of(told, &ToldDeath::start_ms)),
      load(parts_of(told, &ToldDeath::load_ms)),
      replay(parts_of(told, &ToldDeath::replay_ms)),
      recovery(parts_of(told, &ToldDeath::recovery_ms)) {
  for (const ToldDeath& death : told) overtaken += death.overtaken_by != 0 ? 1 : 0;
}

}  // namespace arenad::chaos
