#include "supervisor/arena_lifecycle.h"

#include <utility>

namespace arenad {

const char* to_string(ArenaState state) {
  switch (state) {
    case ArenaState::starting:
      return "starting";
    case ArenaState::running:
      return "running";
    case ArenaState::recovering:
      return "recovering";
    case ArenaState::backing_off:
      return "backoff";
    case ArenaState::restarting:
      return "restarting";
    case ArenaState::stopping:
      return "stopping";
    case ArenaState::stopped:
      return "stopped";
    case ArenaState::ended:
      return "ended";
    case ArenaState::failed:
      return "failed";
    case ArenaState::lost:
      return "lost";
  }
  return "?";
}

ArenaLifecycle::ArenaLifecycle(const Memory& memory, RestartBudget budget)
    : state_(memory.state),
      budget_(std::move(budget)),
      begun_with_(memory.begun_with),
      stop_wanted_(memory.stop_wanted),
      worker_(memory.worker),
      delay_pending_(memory.delay_pending),
      has_lived_(memory.has_lived),
      tried_again_(memory.tried_again),
      crashes_(memory.crashes) {}

ArenaLifecycle::Memory ArenaLifecycle::memory() const {
  return {state_, begun_with_, stop_wanted_, worker_, delay_pending_, has_lived_, tried_again_, crashes_};
}

bool ArenaLifecycle::is_active() const {
  switch (state_) {
    case ArenaState::starting:
    case ArenaState::running:
    case ArenaState::recovering:
    case ArenaState::backing_off:
    case ArenaState::restarting:
    case ArenaState::stopping:
      return true;
    case ArenaState::stopped:
    case ArenaState::ended:
    case ArenaState::failed:
    case ArenaState::lost:
      return false;
  }
  return false;
}

ArenaActions ArenaLifecycle::begin_incarnation(BeginWith with) {
  begun_with_ = with;
  worker_ = Worker::begun;
  delay_pending_ = false;
  return {act::BeginIncarnation{with}, act::ArmReadyDeadline{}};
}

// Into a state in which nothing runs.
void ArenaLifecycle::come_to_rest(ArenaState state) {
  state_ = state;
  stop_wanted_ = false;
  worker_ = Worker::none;
  delay_pending_ = false;
}

ArenaActions ArenaLifecycle::rest(ArenaState state) {
  come_to_rest(state);
  return {act::DisarmDeadline{}, act::Persist{}, act::AnnounceGone{}};
}

ArenaActions ArenaLifecycle::checkpoint_and_rest(ArenaState state) {
  come_to_rest(state);
  return {act::DisarmDeadline{}, act::CheckpointLast{}, act::AnnounceGone{}};
}

ArenaActions ArenaLifecycle::begin(BeginWith with) {
  has_lived_ = with != BeginWith::nothing;
  state_ = has_lived_ ? ArenaState::recovering : ArenaState::starting;
  return begin_incarnation(with);
}

ArenaActions ArenaLifecycle::adopt(uint64_t now_ns) {
  worker_ = Worker::begun;
  return worker_live(now_ns);
}

ArenaActions ArenaLifecycle::worker_live(uint64_t now_ns) {
  if (worker_ == Worker::none || (worker_ == Worker::live && state_ != ArenaState::stopping)) return {};
  worker_ = Worker::live;
  begun_with_ = BeginWith::predecessor;
  has_lived_ = true;
  budget_.running(now_ns);
  if (state_ == ArenaState::stopping || stop_wanted_) {
    state_ = ArenaState::stopping;
    return {act::TellFinish{}, act::ArmStopDeadline{}};
  }
  state_ = ArenaState::running;
  return {act::DisarmDeadline{}, act::Persist{}};
}

ArenaActions ArenaLifecycle::worker_ended(WorkerEnd end, uint64_t now_ns, uint64_t random, Charge charge) {
  if (worker_ == Worker::none) return {};
  const bool was_live = worker_ == Worker::live;
  worker_ = Worker::none;
  switch (end) {
    case WorkerEnd::crashed:
      return crashed(now_ns, random, charge);
    case WorkerEnd::ended:
      return checkpoint_and_rest(ArenaState::ended);
    case WorkerEnd::finished:
      if (state_ == ArenaState::stopping) return checkpoint_and_rest(ArenaState::stopped);
      if (state_ == ArenaState::restarting) {
        state_ = ArenaState::recovering;
        budget_.replaced(now_ns);
        return begin_incarnation(BeginWith::predecessor);
      }
      return crashed(now_ns, random);  // nobody asked it to
    case WorkerEnd::refused_params:
    case WorkerEnd::refused_state:
    case WorkerEnd::refused_no_snapshot:
    case WorkerEnd::refused_broken_log:
    case WorkerEnd::refused_divergence:
    case WorkerEnd::refused_system:
      // One that has run frames has nothing to refuse any more.
      return was_live && state_ != ArenaState::stopping ? crashed(now_ns, random) : refused(end, now_ns, random);
  }
  return {};
}

ArenaActions ArenaLifecycle::crashed(uint64_t now_ns, uint64_t random, Charge charge) {
  ++crashes_;
  if (!has_lived_) {
    if (state_ != ArenaState::starting || std::exchange(tried_again_, true)) return rest(ArenaState::failed);
    return begin_incarnation(BeginWith::nothing);
  }
  if (state_ == ArenaState::stopping) stop_wanted_ = true;
  RestartDecision decision = RestartAfter{};
  if (charge == Charge::budget) {
    decision = budget_.crashed(now_ns, random);
  } else if (charge == Charge::excused) {
    budget_.excused(now_ns);
  }
  if (std::holds_alternative<GiveUp>(decision)) return checkpoint_and_rest(ArenaState::failed);
  const uint64_t delay_ns = std::get<RestartAfter>(decision).delay_ns;
  // What the checkpoint ladder had to be used for stays so until an incarnation lives.
  const BeginWith with = begun_with_ == BeginWith::nothing ? BeginWith::predecessor : begun_with_;
  begun_with_ = with;
  if (delay_ns != 0) {
    state_ = stop_wanted_ ? ArenaState::stopping : ArenaState::backing_off;
    delay_pending_ = true;
    return {act::DisarmDeadline{}, act::StartDelay{delay_ns}};
  }
  state_ = stop_wanted_ ? ArenaState::stopping : ArenaState::recovering;
  return begin_incarnation(with);
}

ArenaActions ArenaLifecycle::refused(WorkerEnd end, uint64_t now_ns, uint64_t random) {
  if (!has_lived_) return rest(ArenaState::failed);
  if (end == WorkerEnd::refused_system) return crashed(now_ns, random);
  if (end == WorkerEnd::refused_params || end == WorkerEnd::refused_state || end == WorkerEnd::refused_divergence)
    return rest(ArenaState::failed);
  if (begun_with_ == BeginWith::predecessor) return begin_incarnation(BeginWith::predecessor_checkpoint);
  return rest(ArenaState::lost);
}

ArenaActions ArenaLifecycle::take_back(BeginWith with) {
  if (state_ == ArenaState::stopping) stop_wanted_ = true;
  state_ = stop_wanted_ ? ArenaState::stopping : ArenaState::recovering;
  return begin_incarnation(with);
}

bool ArenaLifecycle::has_crashed() const {
  const RestartBudget::Memory known = budget_.memory();
  return !known.charged_ns.empty() || known.crashes_in_row != 0 || known.state == RestartBudget::State::given_up;
}

bool ArenaLifecycle::forget_crashes() {
  const bool has_some = has_crashed();
  budget_.reset();
  return has_some;
}

ArenaActions ArenaLifecycle::no_worker(uint64_t now_ns, uint64_t random) {
  if (!has_lived_) return rest(ArenaState::failed);
  return crashed(now_ns, random);
}

ArenaActions ArenaLifecycle::delay_over() {
  if (!delay_pending_) return {};
  if (state_ == ArenaState::backing_off) state_ = ArenaState::recovering;
  if (state_ == ArenaState::recovering || state_ == ArenaState::stopping) return begin_incarnation(begun_with_);
  return {};
}

ArenaActions ArenaLifecycle::overdue() {
  switch (state_) {
    case ArenaState::starting:
    case ArenaState::recovering:
    case ArenaState::restarting:
    case ArenaState::stopping:
      return {act::KillWorker{}};
    case ArenaState::running:
    case ArenaState::backing_off:
    case ArenaState::stopped:
    case ArenaState::ended:
    case ArenaState::failed:
    case ArenaState::lost:
      return {};
  }
  return {};
}

Answer ArenaLifecycle::stop() {
  switch (state_) {
    case ArenaState::running:
    case ArenaState::restarting:
      state_ = ArenaState::stopping;
      return {Verdict::accepted, {act::TellFinish{}, act::ArmStopDeadline{}}};
    case ArenaState::starting:
    case ArenaState::recovering:
      state_ = ArenaState::stopping;
      stop_wanted_ = true;
      return {Verdict::accepted, {}};
    case ArenaState::backing_off:
      return {Verdict::accepted, rest(ArenaState::stopped)};
    case ArenaState::stopping:
      return {Verdict::accepted, {}};
    case ArenaState::stopped:
    case ArenaState::ended:
    case ArenaState::failed:
    case ArenaState::lost:
      return {Verdict::already, {}};
  }
  return {};
}

Answer ArenaLifecycle::restart(uint64_t now_ns, BeginWith with) {
  switch (state_) {
    case ArenaState::running:
      state_ = ArenaState::restarting;
      return {Verdict::accepted, {act::TellFinish{}, act::ArmStopDeadline{}}};
    case ArenaState::restarting:
      return {Verdict::already, {}};
    case ArenaState::backing_off:
    case ArenaState::stopped:
    case ArenaState::failed:
      has_lived_ = with != BeginWith::nothing;
      state_ = ArenaState::recovering;
      budget_.replaced(now_ns);
      return {Verdict::accepted, begin_incarnation(with)};
    case ArenaState::starting:
    case ArenaState::recovering:
    case ArenaState::stopping:
    case ArenaState::ended:
    case ArenaState::lost:
      return {Verdict::refused, {}};
  }
  return {};
}

}  // namespace arenad
