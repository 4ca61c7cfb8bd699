#include "supervisor/rollout.h"

#include <utility>

namespace arenad {
namespace {

// Handovers that are not on probation yet: each takes its share of the processor from all others.
constexpr size_t kAtOnce = 4;

}  // namespace

const char* to_string(Rollout::State state) {
  switch (state) {
    case Rollout::State::canary:
      return "canary";
    case Rollout::State::rolling:
      return "rolling";
    case Rollout::State::rolling_back:
      return "rolling-back";
    case Rollout::State::done:
      return "done";
    case Rollout::State::failed:
      return "failed";
    case Rollout::State::aborted:
      return "aborted";
  }
  return "?";
}

Rollout::Rollout(const RolloutPolicy& policy, std::vector<ArenaId> arenas)
    : policy_(policy), state_(policy.canary == 0 ? State::rolling : State::canary) {
  for (const ArenaId arena : arenas) add(arena);
}

void Rollout::add(ArenaId arena) {
  if (arenas_.emplace(arena, Standing::waiting).second) order_.push_back(arena);
}

size_t Rollout::count(Standing standing) const {
  return static_cast<size_t>(std::ranges::count_if(arenas_, [&](const auto& entry) { return entry.second == standing; }));
}

size_t Rollout::wave_size() const {
  if (state_ == State::canary) return policy_.canary;
  if (policy_.batch != 0) return policy_.batch;
  return std::max<size_t>(1, (arenas_.size() * policy_.batch_percent + 99) / 100);
}

void Rollout::begin_wave() {
  wave_.clear();
  for (const ArenaId arena : order_) {
    if (wave_.size() == wave_size()) break;
    if (arenas_.at(arena) == Standing::waiting) wave_.push_back(arena);
  }
  unsettled_ = wave_.size();
}

// A wave is through, or there was none yet.
void Rollout::go_on() {
  if (unsettled_ != 0 || !wave_.empty()) return;
  if (state_ != State::canary && state_ != State::rolling) return;
  begin_wave();
  if (unsettled_ != 0) return;
  // Nobody waits: with nobody to try it on, the code itself is all that there is to know.
  state_ = State::done;
}

Rollout::Next Rollout::next(size_t workers) {
  Next next;
  const bool canary_is_through = state_ == State::canary && unsettled_ == 0 && wave_.empty() && count(Standing::passed) != 0;
  if (canary_is_through) state_ = State::rolling;
  go_on();
  if (!is_current_ && (state_ == State::rolling || state_ == State::done)) next.make_current = is_current_ = true;
  if (state_ == State::rolling_back) {
    next.make_old_current = std::exchange(is_current_, false);
    for (auto& [arena, standing] : arenas_) {
      if (standing != Standing::passed || count(Standing::going_back) >= kAtOnce) continue;
      standing = Standing::going_back;
      next.give_back.push_back(arena);
    }
    const bool is_through =
        count(Standing::passed) + count(Standing::going_back) + count(Standing::on_the_way) + count(Standing::on_probation) ==
        0;
    if (is_through) state_ = State::failed;
    return next;
  }
  if (paused_) return next;
  while (!wave_.empty() && count(Standing::on_the_way) < std::min(workers, kAtOnce)) {
    const ArenaId arena = wave_.front();
    wave_.erase(wave_.begin());
    arenas_.at(arena) = Standing::on_the_way;
    next.hand_over.push_back(arena);
  }
  return next;
}

void Rollout::live(ArenaId arena) {
  Standing& standing = arenas_.at(arena);
  if (standing == Standing::on_the_way) standing = Standing::on_probation;
}

void Rollout::passed(ArenaId arena) {
  Standing& standing = arenas_.at(arena);
  if (standing == Standing::going_back) {
    standing = Standing::back;
    return;
  }
  standing = Standing::passed;
  if (unsettled_ != 0) --unsettled_;
}

void Rollout::failed(ArenaId arena, std::string why) {
  Standing& standing = arenas_.at(arena);
  const bool was_going_back = standing == Standing::going_back;
  standing = Standing::failed;
  failures_.push_back({arena, std::move(why)});
  if (was_going_back) return;
  if (unsettled_ != 0) --unsettled_;
  if (state_ != State::canary && state_ != State::rolling) return;
  unsettled_ -= std::min(unsettled_, wave_.size());
  wave_.clear();
  state_ = policy_.on_failure == OnFailure::rollback_all ? State::rolling_back : State::failed;
}

void Rollout::gone(ArenaId arena) {
  Standing& standing = arenas_.at(arena);
  const bool is_unsettled =
      standing == Standing::on_the_way || standing == Standing::on_probation || std::erase(wave_, arena) != 0;
  if (is_unsettled && unsettled_ != 0) --unsettled_;
  standing = Standing::gone;
}

void Rollout::postponed(ArenaId arena) {
  Standing& standing = arenas_.at(arena);
  if (standing == Standing::going_back) {
    standing = Standing::passed;
    return;
  }
  standing = Standing::waiting;
  if (state_ == State::canary || state_ == State::rolling) {
    wave_.push_back(arena);
  } else if (unsettled_ != 0) {
    --unsettled_;
  }
}

void Rollout::abort() {
  if (state_ != State::canary && state_ != State::rolling) return;
  unsettled_ -= std::min(unsettled_, wave_.size());
  wave_.clear();
  paused_ = false;
  state_ = State::aborted;
}

bool Rollout::is_over() const {
  if (state_ != State::done && state_ != State::failed && state_ != State::aborted) return false;
  return count(Standing::on_the_way) + count(Standing::on_probation) + count(Standing::going_back) == 0;
}

}  // namespace arenad
