// What operators and a studio's services tell a game (module_abi.h, signal), from the request until it is known what became of it.
//
//   tell --> waits --(a frame has applied it, or its worker died of it)--> answered
//              \-----(nothing was heard of it for long: the worker is stopped, or of a version that knows no signals)--> answered so
//
// An incarnation that goes live has run all that was decided before it. What still waits then was never decided, and is sent anew: a signal is
// applied once, whatever dies.
#include <algorithm>
#include <utility>

#include "arenad/module_abi.h"
#include "ipc/clock.h"
#include "ipc/frame_log.h"
#include "ipc/limits.h"
#include "ipc/text.h"
#include "supervisor/arena.h"

namespace arenad {
namespace {

constexpr uint64_t kPatienceNs = 30 * kSecond;
constexpr const char* kCodeChanges = "its code is being changed: ask again when that is over";

}  // namespace

void Arena::tell_game(const std::string& name, const std::string& payload, SignalAnswer answer) {
  if (state() != ArenaState::running || shutting_down_) {
    const std::string what = shutting_down_ ? "being saved" : to_string(state());
    return answer(make_error(ErrorCode::refused, "it is " + what + ": ask again when it runs"));
  }
  // Its frames may have to be run again by the code of before, and nothing of them goes to the database meanwhile.
  if (handover_) return answer(make_error(ErrorCode::refused, kCodeChanges));
  if (signals_.size() >= limits::kMaxSignalsWaiting) {
    return answer(make_error(ErrorCode::exhausted, std::to_string(signals_.size()) + " signals wait for its game already"));
  }
  // The frames of earlier arenads may name theirs.
  last_signal_ = std::max(last_signal_ + 1, unix_ns());
  const auto waiting =
      signals_.emplace(last_signal_, WaitingSignal{name, payload, std::move(answer), monotonic_ns(), false}).first;
  if (!starting_) send_signal(waiting->first, waiting->second);
}

void Arena::send_signal(uint64_t number, const WaitingSignal& signal) {
  tell_worker([&](wire::ToWorker::Builder message) {
    auto to = message.initSignal();
    to.setNumber(number);
    to.setName(signal.name);
    to.setPayload(whole_text(signal.payload));
  });
}

// Those that came before a change of code, and that the old code has not decided, the new one does not get either.
void Arena::send_waiting_signals() {
  while (handover_ && !signals_.empty()) answer_signal(signals_.begin()->first, make_error(ErrorCode::refused, kCodeChanges));
  for (const auto& [number, signal] : signals_) send_signal(number, signal);
}

// A worker says what it likes.
void Arena::signalled(wire::Signalled::Reader told) {
  const auto reason = [](capnp::Text::Reader text) { return text_of(text).substr(0, limits::kMaxRefusalBytes); };
  switch (told.which()) {
    case wire::Signalled::REPLY:
      return answer_signal(told.getNumber(), text_of(told.getReply()).substr(0, ARENAD_MAX_REPLY_BYTES));
    case wire::Signalled::REFUSED:
      return answer_signal(told.getNumber(), make_error(ErrorCode::refused, reason(told.getRefused())));
    case wire::Signalled::FAILED:
      return answer_signal(told.getNumber(), make_error(ErrorCode::failed, reason(told.getFailed())));
  }
}

// The name of the one that it has died of, if it waits and this is the first time: what it runs next is without it.
std::optional<std::string> Arena::blamed_signal(const IncarnationView& region) {
  const WorkerStatus& s = region.status();
  if (s.applying_channel.load(std::memory_order_acquire) != kApplyingSignal) return std::nullopt;
  if (static_cast<Phase>(s.phase.load()) != Phase::applying) return std::nullopt;
  const auto found = signals_.find(s.applying_sequence.load(std::memory_order_relaxed));
  if (found == signals_.end() || std::exchange(found->second.has_killed, true)) return std::nullopt;
  return found->second.name;
}

// A frame that was decided with it and is not done is run again when the arena goes on.
bool Arena::is_in_a_begun_frame(uint64_t number) const {
  if (!lived_) return false;
  const FrameLogView log{lived_->log_ring(), lived_->log_capacity(), lived_->status().log_begin,
                         lived_->status().log_published};
  FrameLogReader reader;
  reader.rewind(log);
  bool found = false;
  while (reader.next(log) == FrameLogReader::Step::frame) {
    reader.frame().for_each_entry([&](const FrameEntry& entry, std::string_view) {
      found |= entry.kind == FrameEntryKind::signal && entry.value == number;
    });
  }
  return found;
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

// It does not run any more, or will not.
void Arena::refuse_signals() {
  while (!signals_.empty()) {
    const auto& [number, signal] = *signals_.begin();
    const std::string what = std::string("it is ") + (shutting_down_ ? "being saved" : to_string(state()));
    // It does not go on when it has ended, nor with what it has died of.
    const bool may_be_applied = state() != ArenaState::ended && !signal.has_killed;
    if (may_be_applied && is_in_a_begun_frame(number)) {
      answer_signal(number, make_error(ErrorCode::failed,
                                       what + ", and a frame had begun with this: it is applied if the arena goes on"));
    } else {
      answer_signal(number, make_error(ErrorCode::refused, what));
    }
  }
}

}  // namespace arenad
