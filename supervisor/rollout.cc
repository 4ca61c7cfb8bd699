#include "supervisor/rollout.h"

#include <array>
#include <utility>

namespace arenad {
namespace {

// Handovers that are not on probation yet: each takes its share of the processor from all others.
constexpr size_t kAtOnce = 4;

constexpr const char* kTakenBackUnseen =
    "its old code has taken over again while no arenad was there to see why; arenactl crashes shows what it died of";

template <class Word, size_t kCount>
std::optional<Word> parse(const std::array<Word, kCount>& all, std::string_view text) {
  for (const Word word : all) {
    if (text == to_string(word)) return word;
  }
  return std::nullopt;
}

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

const char* to_string(Rollout::Standing standing) {
  switch (standing) {
    case Rollout::Standing::waiting:
      return "waiting";
    case Rollout::Standing::on_the_way:
      return "on-the-way";
    case Rollout::Standing::on_probation:
      return "on-probation";
    case Rollout::Standing::passed:
      return "passed";
    case Rollout::Standing::failed:
      return "failed";
    case Rollout::Standing::gone:
      return "gone";
    case Rollout::Standing::going_back:
      return "going-back";
    case Rollout::Standing::back:
      return "back";
  }
  return "?";
}

const char* to_string(OnFailure on_failure) {
  switch (on_failure) {
    case OnFailure::stop:
      return "stop";
    case OnFailure::rollback_all:
      return "rollback-all";
  }
  return "?";
}

std::optional<Rollout::State> parse_rollout_state(std::string_view word) {
  using enum Rollout::State;
  return parse(std::array{canary, rolling, rolling_back, done, failed, aborted}, word);
}

std::optional<Rollout::Standing> parse_standing(std::string_view word) {
  using enum Rollout::Standing;
  return parse(std::array{waiting, on_the_way, on_probation, passed, failed, gone, going_back, back}, word);
}

std::optional<OnFailure> parse_on_failure(std::string_view word) {
  return parse(std::array{OnFailure::stop, OnFailure::rollback_all}, word);
}

Rollout::Rollout(const RolloutPolicy& policy, std::vector<ArenaId> arenas)
    : policy_(policy), state_(policy.canary == 0 ? State::rolling : State::canary) {
  for (const ArenaId arena : arenas) add(arena);
}

// Of the wave that was going on, those that are on their way count as all of it: whoever was to follow them comes with the next one. But a
// canary is as large as was asked for.
Rollout::Rollout(const RolloutPolicy& policy, State state, bool is_current, const std::vector<Entry>& entries)
    : policy_(policy), state_(state), is_current_(is_current) {
  for (const Entry& entry : entries) {
    if (!arenas_.emplace(entry.arena, Arena{order_.size()}).second) continue;
    order_.push_back(entry.arena);
    set(entry.arena, entry.standing);
    if (entry.standing == Standing::failed) failures_.push_back({entry.arena, entry.why});
  }
  const size_t in_flight = count(Standing::on_the_way) + count(Standing::on_probation);
  const size_t begun = in_flight + count(Standing::passed) + count(Standing::gone);
  if (state_ == State::canary && begun != 0 && begun < policy_.canary) {
    for (const ArenaId arena : order_) {
      if (wave_.size() < policy_.canary - begun && arenas_.at(arena).standing == Standing::waiting) wave_.push_back(arena);
    }
  }
  unsettled_ = in_flight + wave_.size();
  // Nobody was there to stop it when it happened.
  if (goes_forward() && !failures_.empty()) stop_after_failure();
}

void Rollout::add(ArenaId arena) {
  if (!goes_forward() || !arenas_.emplace(arena, Arena{order_.size()}).second) return;
  changed_.insert(order_.size());
  order_.push_back(arena);
}

void Rollout::set(ArenaId id, Standing standing) {
  Arena& arena = arenas_.at(id);
  arena.standing = standing;
  changed_.insert(arena.place);
}

size_t Rollout::count(Standing standing) const {
  return static_cast<size_t>(
      std::ranges::count_if(arenas_, [&](const auto& arena) { return arena.second.standing == standing; }));
}

Rollout::Entry Rollout::entry(ArenaId arena) const {
  Entry entry{arena, arenas_.at(arena).standing, {}};
  const auto failure = std::ranges::find(failures_, arena, &Failure::arena);
  if (failure != failures_.end()) entry.why = failure->why;
  return entry;
}

std::vector<size_t> Rollout::take_changed() {
  std::vector<size_t> changed(changed_.begin(), changed_.end());
  changed_.clear();
  return changed;
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
    if (arenas_.at(arena).standing == Standing::waiting) wave_.push_back(arena);
  }
  unsettled_ = wave_.size();
}

void Rollout::drop_wave() {
  unsettled_ -= std::min(unsettled_, wave_.size());
  wave_.clear();
}

void Rollout::stop_after_failure() {
  drop_wave();
  state_ = policy_.on_failure == OnFailure::rollback_all ? State::rolling_back : State::failed;
}

// A wave is through, or there was none yet.
void Rollout::go_on() {
  if (unsettled_ != 0 || !wave_.empty() || !goes_forward()) return;
  begin_wave();
  if (unsettled_ != 0) return;
  // Nobody waits: with nobody to try it on, the code itself is all that there is to know.
  state_ = State::done;
}

void Rollout::go_back(Next& next) {
  for (const auto& [id, arena] : arenas_) {
    if (arena.standing != Standing::passed || count(Standing::going_back) >= kAtOnce) continue;
    set(id, Standing::going_back);
    next.give_back.push_back(id);
  }
  const bool is_through =
      count(Standing::passed) + count(Standing::going_back) + count(Standing::on_the_way) + count(Standing::on_probation) == 0;
  if (is_through) state_ = State::failed;
}

Rollout::Next Rollout::next(size_t workers) {
  Next next;
  const bool canary_is_through = state_ == State::canary && unsettled_ == 0 && wave_.empty() && count(Standing::passed) != 0;
  if (canary_is_through) state_ = State::rolling;
  go_on();
  const bool is_for_new_arenas = state_ == State::rolling || state_ == State::done;
  if (!is_current_ && is_for_new_arenas) next.make_current = is_current_ = true;
  if (!goes_forward() && state_ != State::done) next.make_old_current = std::exchange(is_current_, false);
  if (state_ == State::rolling_back) go_back(next);
  if (paused_ || !goes_forward()) return next;
  while (!wave_.empty() && count(Standing::on_the_way) < std::min(workers, kAtOnce)) {
    const ArenaId arena = wave_.front();
    wave_.erase(wave_.begin());
    set(arena, Standing::on_the_way);
    next.hand_over.push_back(arena);
  }
  return next;
}

void Rollout::live(ArenaId arena) {
  if (arenas_.at(arena).standing == Standing::on_the_way) set(arena, Standing::on_probation);
}

void Rollout::passed(ArenaId arena) {
  if (arenas_.at(arena).standing == Standing::going_back) return set(arena, Standing::back);
  set(arena, Standing::passed);
  if (unsettled_ != 0) --unsettled_;
}

void Rollout::failed(ArenaId id, std::string why) {
  Arena& arena = arenas_.at(id);
  const bool was_going_back = arena.standing == Standing::going_back;
  if (was_going_back && state_ == State::rolling_back && ++arena.tries_back < kGiveBackTries) return set(id, Standing::passed);
  set(id, Standing::failed);
  failures_.push_back({id, std::move(why)});
  if (was_going_back) return;
  if (unsettled_ != 0) --unsettled_;
  if (goes_forward()) stop_after_failure();
}

void Rollout::gone(ArenaId arena) {
  const Standing standing = arenas_.at(arena).standing;
  const bool is_unsettled =
      standing == Standing::on_the_way || standing == Standing::on_probation || std::erase(wave_, arena) != 0;
  if (is_unsettled && unsettled_ != 0) --unsettled_;
  set(arena, Standing::gone);
}

void Rollout::postponed(ArenaId arena) {
  if (arenas_.at(arena).standing == Standing::going_back) return set(arena, Standing::passed);
  set(arena, Standing::waiting);
  if (goes_forward()) {
    wave_.push_back(arena);
  } else if (unsettled_ != 0) {
    --unsettled_;
  }
}

void Rollout::abort() {
  if (!goes_forward() && state_ != State::rolling_back) return;
  drop_wave();
  paused_ = false;
  state_ = State::aborted;
}

bool Rollout::is_over() const {
  if (goes_forward() || state_ == State::rolling_back) return false;
  const bool new_arenas_are_settled = is_current_ == (state_ == State::done);
  return new_arenas_are_settled &&
         count(Standing::on_the_way) + count(Standing::on_probation) + count(Standing::going_back) == 0;
}

namespace {

// Of one that was on its way to the new code, on probation, or about to go.
Rollout::Entry going_forward_now(const Rollout::Entry& written, const ArenaNow& now) {
  using enum Rollout::Standing;
  const bool was_on_probation = written.standing == on_probation;
  switch (now.runs) {
    case ArenaNow::Runs::gone:
      return {written.arena, was_on_probation ? gone : waiting, {}};
    case ArenaNow::Runs::new_code:
      if (now.failure) return {written.arena, failed, *now.failure};
      return {written.arena, now.on_probation ? on_probation : passed, {}};
    case ArenaNow::Runs::other_code:
      if (now.failure) return {written.arena, failed, *now.failure};
      if (was_on_probation && now.has_lived) return {written.arena, failed, kTakenBackUnseen};
      return {written.arena, waiting, {}};
  }
  return written;
}

}  // namespace

Rollout::Entry entry_now(Rollout::State state, const Rollout::Entry& written, const ArenaNow& now) {
  using enum Rollout::Standing;
  const bool goes_forward = state == Rollout::State::canary || state == Rollout::State::rolling;
  switch (written.standing) {
    case failed:
    case gone:
    case back:
      return written;
    case waiting:
    case on_the_way:
    case on_probation:
      return going_forward_now(written, now);
    case passed:
    case going_back:
      switch (now.runs) {
        case ArenaNow::Runs::gone:
          return {written.arena, written.standing == going_back ? gone : passed, {}};
        case ArenaNow::Runs::new_code:
          // It is named again if it is to go back still.
          return {written.arena, passed, {}};
        case ArenaNow::Runs::other_code:
          if (goes_forward) return {written.arena, waiting, {}};
          return {written.arena, now.on_probation ? going_back : back, {}};
      }
  }
  return written;
}

}  // namespace arenad
