#include "chaos/played_plan.h"

#include <algorithm>

#include "chaos/litter.h"

namespace arenad::chaos {
namespace {

// Every fourth entry gives a result.
constexpr uint64_t kEntriesOfAResult = 4;

bool can_show(Invariant invariant, const Plan& plan, const ChaosFindings& findings) {
  const auto any_fault = [&](auto does) {
    return std::ranges::any_of(plan.steps, [&](const Step& step) {
      const Fault* fault = find_fault(step.fault);
      return fault != nullptr && does(*fault);
    });
  };
  switch (invariant) {
    case Invariant::state:
    case Invariant::lost:
    case Invariant::outputs:
    case Invariant::status:
      return findings.entries != 0;
    case Invariant::results:
      return plan.game.empty() && findings.entries >= kEntriesOfAResult * plan.arenas.size();
    case Invariant::isolation:
      return any_fault([](const Fault& fault) { return fault.worker == Ends::must || fault.other_workers == Ends::must; });
    case Invariant::arenad:
      return any_fault([](const Fault& fault) { return fault.arenad == Ends::must; });
    case Invariant::times:
      return any_fault([](const Fault& fault) { return fault.worker == Ends::must && !fault.told.empty(); });
    case Invariant::recovery:
    case Invariant::fired:
      return !plan.steps.empty();
    case Invariant::resources:
    case Invariant::litter:
    case Invariant::database:
      return true;
  }
  return true;
}

}  // namespace

Result<void> play_plan(const std::filesystem::path& folder, const Plan& plan, StopSignals& signals, const PlayOptions& options,
                       ChaosFindings& findings) {
  auto checkers = all_checkers();
  auto stage = Stage::set(folder, plan, [&signals] { return signals.look() != Wish::go_on; });
  if (!stage) return stage.error();
  const auto went_wrong = [&](const Error& error) {
    findings.invariants.violated({Invariant::recovery, "", error.text(), static_cast<uint64_t>(findings.seconds * 1000)});
  };
  ChaosRun run(**stage, plan, signals, findings);
  run.checkers = checkers;
  run.until = options.until;
  run.patience_ns = options.patience_ms * kMillisecond;
  run.on_progress = options.on_progress;
  run.next_step = options.next_step;
  if (auto played = run.play(); !played) went_wrong(played.error());
  if (options.until == Until::first_violation && findings.invariants.violations() != 0) {
    stage->reset();
    clear_litter(0);
    return {};
  }
  if (auto struck = (*stage)->strike(); !struck) went_wrong(struck.error());
  Scene end{.stage = **stage,
            .invariants = findings.invariants,
            .now_ms = static_cast<uint64_t>(findings.seconds * 1000),
            .concerned = std::vector<bool>(plan.arenas.size())};
  for (const auto& checker : checkers) {
    checker->all_has_ended(end);
    findings.figures.merge(checker->figures());
    for (ToldDeath& death : checker->deaths()) findings.deaths.push_back(death);
  }
  findings.not_shown = not_shown(plan, findings);
  return {};
}

std::vector<Invariant> not_shown(const Plan& plan, const ChaosFindings& findings) {
  std::vector<Invariant> missing;
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    if (findings.invariants.looked_at(invariant) == 0 && can_show(invariant, plan, findings)) missing.push_back(invariant);
  }
  return missing;
}

}  // namespace arenad::chaos
