#include "state/recovery_ladder.h"

#include "ipc/mutant.h"

namespace arenad {
namespace {

bool log_reaches(const RungCandidate& candidate, const std::optional<LogRange>& log) {
  if (!log) return true;
  if (log->first > log->last) return true;
  return candidate.frame.value + 1 >= log->first.value;
}

bool better(const RungCandidate& a, const RungCandidate& b) {
  if (ARENAD_MUTANT("recovery.older_slot_first") && a.source == b.source) return a.frame < b.frame;
  if (a.frame != b.frame) return a.frame > b.frame;
  return a.source == RungCandidate::Source::slot && b.source == RungCandidate::Source::checkpoint;
}

// A slot is the newest rung only if no slot holds a newer frame, usable or not; what a damaged one held cannot be known.
Rung rung_of(std::span<const RungCandidate> candidates, size_t chosen) {
  if (candidates[chosen].source == RungCandidate::Source::checkpoint) return Rung::checkpoint;
  for (const RungCandidate& other : candidates) {
    const bool damaged = other.condition == RungCandidate::Condition::damaged;
    if (other.source == RungCandidate::Source::slot && (damaged || other.frame > candidates[chosen].frame))
      return Rung::older_slot;
  }
  return Rung::newest_slot;
}

}  // namespace

std::optional<LadderChoice> choose_rung(std::span<const RungCandidate> candidates, std::optional<LogRange> log) {
  std::optional<size_t> best;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].condition == RungCandidate::Condition::damaged || !log_reaches(candidates[i], log)) continue;
    if (!best || better(candidates[i], candidates[*best])) best = i;
  }
  if (!best) return std::nullopt;
  return LadderChoice{*best, rung_of(candidates, *best)};
}

}  // namespace arenad
