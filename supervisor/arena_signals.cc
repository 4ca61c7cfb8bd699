// What operators and a studio's services tell a game (module_abi.h, signal), from the request until it is known what became of it.
//
//   tell --> waits --(a frame has applied it, or its worker died of it)--> answered
//              \-----(nothing was heard of it for long: the worker is stopped, or of a version that knows no signals)--> answered so
//
// An incarnation that goes live has run all that was decided before it. What still waits then was never decided, and is sent anew: a signal is
// applied once, whatever dies.
#include <algorithm>

#include "ipc/clock.h"
#include "ipc/limits.h"
#include "supervisor/arena.h"

namespace arenad {
namespace {

constexpr uint64_t kPatienceNs = 30 * kSecond;

}  // namespace

void Arena::tell_game(const std::string& name, const std::string& payload, SignalAnswer answer) {
  if (state() != ArenaState::running) {
    return answer(make_error(ErrorCode::refused, "it is " + std::string(to_string(state())) + ": ask again when it runs"));
  }
  if (signals_.size() >= limits::kMaxSignalsWaiting) {
    return answer(make_error(ErrorCode::exhausted, std::to_string(signals_.size()) + " signals wait for its game already"));
  }
  // The frames of earlier arenads may name theirs.
  last_signal_ = std::max(last_signal_ + 1, unix_ns());
  const auto waiting = signals_.emplace(last_signal_, WaitingSignal{name, payload, std::move(answer), monotonic_ns()}).first;
  if (!starting_) send_signal(waiting->first, waiting->second);
}

void Arena::send_signal(uint64_t number, const WaitingSignal& signal) {
  tell_worker([&](wire::ToWorker::Builder message) {
    auto to = message.initSignal();
    to.setNumber(number);
    to.setName(signal.name);
    to.setPayload(signal.payload);
  });
}

void Arena::send_waiting_signals() {
  for (const auto& [number, signal] : signals_) send_signal(number, signal);
}

void Arena::signalled(wire::Signalled::Reader told) {
  switch (told.which()) {
    case wire::Signalled::REPLY:
      return answer_signal(told.getNumber(), std::string(told.getReply()));
    case wire::Signalled::REFUSED:
      return answer_signal(told.getNumber(), make_error(ErrorCode::refused, told.getRefused()));
    case wire::Signalled::FAILED:
      return answer_signal(told.getNumber(), make_error(ErrorCode::failed, told.getFailed()));
  }
}

void Arena::answer_signal(uint64_t number, Result<std::string> reply) {
  const auto found = signals_.find(number);
  if (found == signals_.end()) return;  // of an earlier arenad, or told again by a replay
  const auto answer = std::move(found->second.answer);
  signals_.erase(found);
  answer(std::move(reply));
}

// They are in the order in which they came.
void Arena::give_up_signals(uint64_t now_ns) {
  while (!signals_.empty() && signals_.begin()->second.since_ns + kPatienceNs <= now_ns) {
    answer_signal(
        signals_.begin()->first,
        make_error(ErrorCode::timeout, "its worker has not said for 30 s what became of it; it may still be applied"));
  }
}

// It does not run any more.
void Arena::refuse_signals() {
  while (!signals_.empty()) {
    answer_signal(signals_.begin()->first, make_error(ErrorCode::refused, std::string("it is ") + to_string(state())));
  }
}

}  // namespace arenad
