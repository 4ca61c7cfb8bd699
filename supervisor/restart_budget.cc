#include "supervisor/restart_budget.h"

#include <algorithm>

namespace arenad {
namespace {

constexpr uint64_t kJitterDivisor = 5;  // +-20 %

// Times come from one monotonic clock, but a fact may have been sampled before the one that was
// handled first.
uint64_t elapsed_ns(uint64_t from_ns, uint64_t now_ns) {
  return now_ns > from_ns ? now_ns - from_ns : 0;
}

// 0 <= result <= range, evenly (Lemire: "Fast random integer generation in an interval", 2019).
uint64_t scaled(uint64_t random, uint64_t range) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(range) + 1) * random >> 64);
}

}  // namespace

void RestartBudget::running(uint64_t now_ns) {
  if (state_ != State::starting) return;
  state_ = State::running;
  running_since_ns_ = now_ns;
}

RestartDecision RestartBudget::crashed(uint64_t now_ns, uint64_t random) {
  if (state_ == State::given_up) return GiveUp{};
  end_row_if_healthy(now_ns);
  std::erase_if(charged_ns_, [&](uint64_t charged) { return !in_window(charged, now_ns); });
  if (charged_ns_.size() >= policy_.intensity) {
    state_ = State::given_up;
    return GiveUp{};
  }
  charged_ns_.push_back(now_ns);
  state_ = State::starting;
  const RestartAfter decision{delay_ns(random)};
  ++crashes_in_row_;
  return decision;
}

void RestartBudget::excused(uint64_t now_ns) {
  if (state_ == State::given_up) return;
  end_row_if_healthy(now_ns);
  if (!charged_ns_.empty()) charged_ns_.pop_back();
  if (crashes_in_row_ > 0) --crashes_in_row_;
  state_ = State::starting;
}

void RestartBudget::replaced(uint64_t now_ns) {
  if (state_ == State::given_up) reset();
  end_row_if_healthy(now_ns);
  state_ = State::starting;
}

void RestartBudget::reset() {
  state_ = State::starting;
  crashes_in_row_ = 0;
  charged_ns_.clear();
}

uint32_t RestartBudget::charged(uint64_t now_ns) const {
  return static_cast<uint32_t>(
      std::ranges::count_if(charged_ns_, [&](uint64_t charged) { return in_window(charged, now_ns); }));
}

void RestartBudget::end_row_if_healthy(uint64_t now_ns) {
  if (state_ == State::running && elapsed_ns(running_since_ns_, now_ns) >= policy_.healthy_ns) {
    crashes_in_row_ = 0;
  }
}

bool RestartBudget::in_window(uint64_t charged_ns, uint64_t now_ns) const {
  return elapsed_ns(charged_ns, now_ns) < policy_.window_ns;
}

uint64_t RestartBudget::delay_ns(uint64_t random) const {
  if (crashes_in_row_ == 0) return 0;
  uint64_t delay = std::min(policy_.first_delay_ns, policy_.max_delay_ns);
  for (uint32_t doubled = 1; doubled < crashes_in_row_ && delay > 0; ++doubled) {
    if (delay > policy_.max_delay_ns / 2) {
      delay = policy_.max_delay_ns;
      break;
    }
    delay *= 2;
  }
  // The cap bounds the spread delay too; below it the draws stay even instead of piling up on the
  // cap.
  const uint64_t spread = delay / kJitterDivisor;
  const uint64_t low = delay - spread;
  const uint64_t high = std::min(delay + spread, policy_.max_delay_ns);
  return low + scaled(random, high - low);
}

}  // namespace arenad
