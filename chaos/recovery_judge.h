// Whether what arenad tells of deaths and recoveries can be true. Pure.
//
//   the kill ··notice·· arenad hears of it ··start·· a successor is assigned ··load·· its state is loaded ··replay·· it decides frames
//   the last sign of life comes before the kill: what arenad tells as "detect" is never less than the notice
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "chaos/told_death.h"

namespace arenad::chaos {

// Far beyond what a part takes: ten times the worst that was seen, under all faults at once on two processors with the work of ten. What is
// above is an outlier.
struct RecoveryBudget {
  double notice_ms = 5'000;
  double start_ms = 5'000;
  double load_ms = 5'000;
  double replay_ms = 5'000;
};

// What is wrong with one report, as sentences. A death that is neither recovered from nor overtaken is none of its business.
std::vector<std::string> what_is_wrong(const ToldDeath& death, const RecoveryBudget& budget = {});
// What is wrong with those of one arena together, in the order of their ids. arenads_ns: when another arenad was there, by CLOCK_MONOTONIC:
// what one had not told when it ended nobody tells.
std::vector<std::string> what_is_wrong_together(const std::vector<ToldDeath>& deaths, const std::vector<uint64_t>& arenads_ns);

}  // namespace arenad::chaos
