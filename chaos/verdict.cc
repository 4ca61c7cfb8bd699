#include "chaos/verdict.h"

#include <fmt/format.h>

namespace arenad::chaos {
namespace {

std::vector<std::string> violations_of(const RunRecord& record) {
  std::vector<std::string> reasons;
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    const uint64_t count = record.invariants.violations(invariant);
    if (count != 0) reasons.push_back(fmt::format("{}: {} violations: {}", name_of(invariant), count, meaning_of(invariant)));
  }
  return reasons;
}

std::vector<std::string> what_was_not_shown(const RunRecord& record) {
  std::vector<std::string> reasons;
  if (record.plan.steps.empty()) reasons.emplace_back("the plan has no fault");
  for (const KindRecord& kind : record.kinds) {
    if (kind.fired != 0 || kind.is_not_run()) continue;
    reasons.push_back(fmt::format("{} was planned {} times and never was there{}", kind.name, kind.planned,
                                  kind.why_not.empty() ? "" : ": " + kind.why_not));
  }
  if (record.worker_ends == 0 && record.arenad_ends == 0) {
    reasons.emplace_back("no worker and no arenad had to be replaced: no way of recovery was taken");
  }
  for (const Invariant invariant : record.not_shown) {
    reasons.push_back(fmt::format("{} was never looked at: {}", name_of(invariant), meaning_of(invariant)));
  }
  return reasons;
}

}  // namespace

Judgement judge(const RunRecord& record) {
  if (auto reasons = violations_of(record); !reasons.empty()) return {Verdict::failed, std::move(reasons)};
  if (!record.broke.empty()) return {Verdict::cut_short, {"it could not go on: " + record.broke}};
  if (record.cut_short) return {Verdict::cut_short, {"somebody asked for its end"}};
  if (auto reasons = what_was_not_shown(record); !reasons.empty()) return {Verdict::vacuous, std::move(reasons)};
  return {Verdict::passed, {}};
}

}  // namespace arenad::chaos
