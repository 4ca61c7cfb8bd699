#include "chaos/recovery_judge.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace arenad::chaos {
namespace {

// Times are written down in nanoseconds, and told in milliseconds.
constexpr double kRounding_ms = 0.001;
// A process that was sent SIGKILL may still run on another processor, until that one takes note of it.
constexpr double kLastBreath_ms = 2;

std::string named(const ToldDeath& death) {
  return fmt::format("report {} of epoch {}: ", death.id, death.epoch);
}

struct Part {
  const char* name;
  double ToldDeath::*told;
  double RecoveryBudget::*budget;
};
constexpr Part kParts[] = {{"start", &ToldDeath::start_ms, &RecoveryBudget::start_ms},
                           {"load", &ToldDeath::load_ms, &RecoveryBudget::load_ms},
                           {"replay", &ToldDeath::replay_ms, &RecoveryBudget::replay_ms}};

}  // namespace

std::vector<std::string> what_is_wrong(const ToldDeath& death, const RecoveryBudget& budget) {
  std::vector<std::string> wrong;
  const auto say = [&](const std::string& what) { wrong.push_back(named(death) + what); };
  if (death.heard_ns == 0) say("it does not tell when arenad heard of the death");
  if (death.detect_ms < 0) say(fmt::format("it was heard of {} ms before its last sign of life", -death.detect_ms));
  if (death.notice_ms > 0 && death.detect_ms > 0 && death.detect_ms + kLastBreath_ms < death.notice_ms) {
    say(fmt::format("arenad heard of it {:.3f} ms after its last sign of life, and {:.3f} ms after it was killed",
                    death.detect_ms, death.notice_ms));
  }
  if (death.notice_ms > budget.notice_ms) {
    say(fmt::format("arenad heard of it {:.0f} ms after it was killed; {:.0f} are the budget", death.notice_ms,
                    budget.notice_ms));
  }
  if (!death.is_recovered()) return wrong;
  if (death.overtaken_by != 0) say(fmt::format("it was recovered from, and was overtaken by {}", death.overtaken_by));
  double sum = 0;
  for (const Part& part : kParts) {
    const double told = death.*part.told;
    sum += told;
    // No part takes no time at all: that is how a report says that it does not know.
    if (told <= 0) say(fmt::format("the part {} is {} ms", part.name, told));
    if (told > budget.*part.budget) {
      say(fmt::format("the part {} took {:.0f} ms; {:.0f} are the budget", part.name, told, budget.*part.budget));
    }
  }
  if (std::abs(sum - death.recovery_ms) > kRounding_ms) {
    say(fmt::format("start, load and replay are {:.3f} ms together, and the recovery took {:.3f}", sum, death.recovery_ms));
  }
  return wrong;
}

std::vector<std::string> what_is_wrong_together(const std::vector<ToldDeath>& deaths, const std::vector<uint64_t>& arenads_ns) {
  std::vector<std::string> wrong;
  const auto was_cut_off = [&](const ToldDeath& death) {
    return std::ranges::any_of(arenads_ns, [&](uint64_t at_ns) { return at_ns >= death.heard_ns; });
  };
  for (size_t i = 0; i < deaths.size(); ++i) {
    const ToldDeath& death = deaths[i];
    const auto say = [&](const std::string& what) { wrong.push_back(named(death) + what); };
    const ToldDeath* next = i + 1 < deaths.size() ? &deaths[i + 1] : nullptr;
    if (death.overtaken_by != 0 && (next == nullptr || next->id != death.overtaken_by)) {
      say(fmt::format("it was overtaken by {}, which is not the next death of the arena", death.overtaken_by));
    }
    if (!death.is_recovered() && death.overtaken_by == 0 && !was_cut_off(death)) {
      say("it was neither recovered from nor overtaken by another death");
    }
    if (next == nullptr || !death.is_recovered()) continue;
    const double until_next_ms = (static_cast<double>(next->heard_ns) - static_cast<double>(death.heard_ns)) / 1e6;
    if (until_next_ms + kRounding_ms < death.recovery_ms) {
      say(fmt::format("the recovery took {:.3f} ms, and the next death was heard of after {:.3f}", death.recovery_ms,
                      until_next_ms));
    }
  }
  return wrong;
}

}  // namespace arenad::chaos
