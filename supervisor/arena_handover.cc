// How an arena changes its code while it runs, and how it gets its old code back (handover.h).
#include <fmt/format.h>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/frame_log.h"
#include "supervisor/arena.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

// Behind the last frame if the log is empty.
FrameNumber first_logged_frame(const IncarnationView& view) {
  const FrameLogView log{view.log_ring(), view.log_capacity(), view.status().log_begin, view.status().log_published};
  FrameLogReader reader;
  reader.rewind(log);
  if (reader.next(log) == FrameLogReader::Step::frame) return {reader.frame().record().frame};
  return {view.status().frame_decided.load() + 1};
}

}  // namespace

Result<void> Arena::hand_over(GameTemplate& to, const Probation& probation, HandoverNotice tell) {
  if (auto may = may_hand_over(); !may) return may;
  handover_.emplace(ChangeOfCode{Handover(probation), game_, &to, std::nullopt, std::move(tell)});
  log_info("arena={} epoch={} msg=\"its code is changed from {} to {}\"", record_.name, record_.epoch, version(),
           to.facts().version);
  this->tell(LifecycleEvent::handing_over, {{"from", version()}, {"to", to.facts().version}});
  ask_to_finish();
  return {};
}

Result<void> Arena::may_hand_over() const {
  if (handover_ || state() != ArenaState::running || shutting_down_) return make_error(ErrorCode::refused, under_way());
  return {};
}

void Arena::ask_to_finish() {
  carry_out(lifecycle_.restart(monotonic_ns(), BeginWith::predecessor).actions);
  ARENAD_CRASH_POINT("arenad.handover.asked");
}

// Called before the lifecycle hears of the end of a worker. True: it is not to hear of it, because the handover has taken care of it.
bool Arena::handover_worker_ended(WorkerEnd end) {
  if (!handover_) return false;
  switch (handover_->progress.step()) {
    case Handover::Step::finishing:
      if (end == WorkerEnd::finished && state() == ArenaState::restarting) {
        handover_->progress.finished();
        game_ = handover_->to;
        ARENAD_CRASH_POINT("arenad.handover.finished");
      } else if (end == WorkerEnd::crashed && !handover_->progress.try_again()) {
        end_handover(HandoverNews::failed, "the old code does not come to the end of a frame: " + last_exit_);
      }
      return false;
    case Handover::Step::loading: {
      const std::string why = end == WorkerEnd::crashed ? last_exit_ : record_.reason;
      log_error("arena={} epoch={} msg=\"the new code does not take over: {}. The old code goes on\"", record_.name,
                record_.epoch, why);
      game_ = handover_->from;
      end_handover(HandoverNews::failed, "it does not take over: " + why);
      carry_out(lifecycle_.take_back(BeginWith::predecessor));
      return true;
    }
    case Handover::Step::probation:
      if (end != WorkerEnd::crashed || !decide_to_take_back()) return false;
      carry_out(lifecycle_.take_back(BeginWith::origin));
      return true;
    case Handover::Step::taking_back:
      if (end == WorkerEnd::crashed || end == WorkerEnd::refused_system) return false;
      // What there is to go back to does not do: the new code has all that it needs to go on.
      log_error("arena={} epoch={} msg=\"the old code cannot take over again: {}. The new code goes on\"", record_.name,
                record_.epoch, record_.reason);
      game_ = handover_->to;
      end_handover(HandoverNews::failed, {});
      carry_out(lifecycle_.take_back(BeginWith::predecessor));
      return true;
  }
  return false;
}

// The worker has died on probation. False: it goes on with the new code, because nothing else is left.
bool Arena::decide_to_take_back() {
  const uint64_t frame = lived_->status().frame_decided.load();
  const std::string why = fmt::format("it died in frame {}: {}; arenactl crashes show {}", frame, last_exit_, last_crash_);
  if (!reaches_back()) {
    log_error(
        "arena={} epoch={} msg=\"the new code has died on probation, and what came since its first frame is not kept any "
        "more: it goes on\"",
        record_.name, record_.epoch);
    end_handover(HandoverNews::failed, why + "; it goes on, because the old code can take over no more");
    return false;
  }
  log_error("arena={} epoch={} frame={} msg=\"the new code has died on probation: the old code takes over from frame {}\"",
            record_.name, record_.epoch, frame, handover_->progress.from().value);
  handover_->progress.take_back();
  game_ = handover_->from;
  tell_of_handover(HandoverNews::failed, why);
  ARENAD_CRASH_POINT("arenad.takeback.decided");
  return true;
}

// Whether the new code's log has all frames since the old code's last one.
bool Arena::reaches_back() const {
  if (!handover_ || !handover_->origin || !lived_) return false;
  return first_logged_frame(*lived_).value <= handover_->progress.from().value + 1;
}

void Arena::handover_worker_live() {
  if (!handover_) return;
  switch (handover_->progress.step()) {
    case Handover::Step::finishing:
      return ask_to_finish();
    case Handover::Step::loading:
    case Handover::Step::probation:
      break;  // see keep_origin()
    case Handover::Step::taking_back:
      log_info("arena={} epoch={} msg=\"it runs with its old code again\"", record_.name, record_.epoch);
      // What the database has may be of the code that was taken back.
      submitted_.reset();
      end_handover(HandoverNews::failed, {});
      break;
  }
}

// The incarnation that has handed over, when its successor goes live. The service manager keeps its region too: probation goes on under
// another arenad.
void Arena::keep_origin(IncarnationView origin) {
  kept_.forget_process(origin.epoch());
  handover_->progress.live(monotonic_ns(), {origin.status().frame_done.load()});
  handover_->origin = std::move(origin);
  tell_of_handover(HandoverNews::live, {});
  ARENAD_CRASH_POINT("arenad.handover.live");
  log_info("arena={} epoch={} pid={} frame={} msg=\"version {} has taken over, on probation\"", record_.name, record_.epoch,
           worker_->pid(), handover_->progress.from().value, game_->facts().version);
}

void Arena::resume_probation(IncarnationView origin) {
  GameTemplate* from = version_of(origin.code());
  if (from == nullptr || from->hash() != origin.code()) return;
  log_info("arena={} msg=\"its code was changed from {} under the arenad before this one: it is still on probation\"",
           record_.name, origin.code().text());
  handover_.emplace(ChangeOfCode{Handover(kOpenProbation), from, game_, std::nullopt, nullptr});
  handover_->progress.finished();
  handover_->progress.live(monotonic_ns(), {origin.status().frame_done.load()});
  handover_->origin = std::move(origin);
}

void Arena::resume_handover(const Probation& probation, HandoverNotice tell) {
  if (!handover_ || handover_->progress.step() != Handover::Step::probation) return;
  handover_->progress.set_probation(probation);
  handover_->tell = std::move(tell);
}

std::optional<std::string> Arena::untold_failure(CodeHash code) const {
  if (!untold_failure_ || untold_failure_->code != code) return std::nullopt;
  return untold_failure_->why;
}

bool Arena::is_on_probation() const {
  return handover_ &&
         (handover_->progress.step() == Handover::Step::probation || handover_->progress.step() == Handover::Step::taking_back);
}

void Arena::pin(bool pinned) {
  if (record_.pinned == pinned) return;
  record_.pinned = pinned;
  persist();
}

void Arena::watch_probation(uint64_t now_ns) {
  if (!handover_ || handover_->progress.step() != Handover::Step::probation || !lived_) return;
  const FrameNumber done{lived_->status().frame_done.load()};
  if (!reaches_back()) {
    log_warning("arena={} msg=\"probation ends early: what came since the change of code fills the frame log\"", record_.name);
  } else if (!handover_->progress.passes(now_ns, done, lived_->tick_hz())) {
    return;
  }
  log_info("arena={} epoch={} msg=\"version {} has passed its probation\"", record_.name, record_.epoch,
           game_->facts().version);
  end_handover(HandoverNews::passed, {});
}

// Of one that is gone the arena's own end tells.
void Arena::tell_script(HandoverNews news, const std::string& why) {
  const LifecycleLog::Details versions{{"from", handover_->from->facts().version}, {"to", handover_->to->facts().version}};
  switch (news) {
    case HandoverNews::live:
      return tell(LifecycleEvent::handed_over, versions);
    case HandoverNews::passed:
      return tell(LifecycleEvent::passed, versions);
    case HandoverNews::failed:
      if (why.empty()) return;  // it was told when it was decided
      return tell(LifecycleEvent::taken_back, {versions[0], versions[1], {"reason", why}});
    case HandoverNews::gone:
      return;
  }
}

void Arena::tell_of_handover(HandoverNews news, const std::string& why) {
  if (!handover_) return;
  if (news == HandoverNews::passed) services_.metrics.handed_over(record_.game, "passed");
  // Told once; the end of it, after the old code has taken over, has no reason any more.
  if (news == HandoverNews::failed && !why.empty()) services_.metrics.handed_over(record_.game, "failed");
  tell_script(news, why);
  if (!handover_->tell) {
    if (news == HandoverNews::failed && !why.empty()) untold_failure_ = UntoldFailure{handover_->to->hash(), why};
    return;
  }
  services_.facts.post([tell = handover_->tell, id = record_.id, news, why] { tell(id, news, why); });
  if (news != HandoverNews::live) handover_->tell = nullptr;
}

void Arena::end_handover(HandoverNews end, const std::string& why) {
  tell_of_handover(end, why);
  if (handover_->origin) kept_.forget_incarnation(handover_->origin->epoch());
  handover_.reset();
  check_waiters();
}

}  // namespace arenad
