// What is seen of an arena's worker while it runs, and what is written down when it has died: slow frames, hangs, the report of a crash,
// and which event was to blame.
#include <csignal>
#include <fmt/format.h>
#include <utility>

#include "ipc/clock.h"
#include "ipc/mutant.h"
#include "ipc/process.h"
#include "supervisor/arena.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/cage.h"
#include "supervisor/crash_report.h"
#include "supervisor/crash_signature.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

// The worker's own number: it is the default meaning of the signal that counts (worker/black_box.h).
constexpr int kWhereAreYouSignal = SIGURG;

WorkerActivity activity_of(const IncarnationView& region) {
  const auto phase = static_cast<Phase>(region.status().phase.load(std::memory_order_relaxed));
  switch (region.stage()) {
    case Stage::blank:
    case Stage::finished:
    case Stage::ended:
      return WorkerActivity::starting;
    case Stage::recovering:
      return phase == Phase::waiting ? WorkerActivity::starting : WorkerActivity::in_frame;
    case Stage::live:
      return phase == Phase::waiting ? WorkerActivity::between_frames : WorkerActivity::in_frame;
  }
  return WorkerActivity::starting;
}

std::optional<EventRef> applying(const IncarnationView& region) {
  const WorkerStatus& s = region.status();
  const uint64_t channel = s.applying_channel.load(std::memory_order_acquire);
  if (channel == 0 || channel == kApplyingSignal || static_cast<Phase>(s.phase.load()) != Phase::applying) return std::nullopt;
  return EventRef{{channel}, s.applying_sequence.load(std::memory_order_relaxed)};
}

}  // namespace

HangPolicy Arena::hang_policy() const {
  HangPolicy policy;
  policy.interval_ns = kWatchIntervalMs * kMillisecond;
  if (game_ == nullptr) return policy;
  policy.soft_ns = game_->config().soft_limit_ms * kMillisecond;
  policy.hard_ns = game_->config().hard_limit_ms * kMillisecond;
  return policy;
}

// Of one that has said nothing lately; every other is looked at each time. Looking at 300 silent ones five times a second was a quarter of what
// an idle arenad takes of a processor.
constexpr uint64_t kSilentLookNs = 500 * kMillisecond;

void Arena::log_output(uint64_t now_ns, OutputTurn& turn) {
  OutputFile* output = worker_ ? worker_->output() : nullptr;
  // Hundreds of arenas that say nothing should cost nothing.
  if (output == nullptr || now_ns < next_output_look_ns_) return;
  if (output_log_.has_told_all() && output->is_untouched()) {
    next_output_look_ns_ = now_ns + kSilentLookNs;
    return;
  }
  const OutputSource source{record_.name, record_.game, record_.epoch, worker_->pid()};
  const auto found = output_log_.read(*output, source, services_.config.logs.rate(), now_ns, turn);
  next_output_look_ns_ = found == OutputLog::Found::nothing ? now_ns + kSilentLookNs : 0;
  const bool is_offence = output->hold_to_bounds() == OutputFile::Use::keeping_memory;
  if (is_offence && ended_by_arenad_.empty()) end_offender("it keeps memory in the file of its output");
}

void Arena::log_last_output(uint64_t now_ns) {
  OutputFile* output = worker_ ? worker_->output() : nullptr;
  if (output == nullptr) return;
  const OutputSource source{record_.name, record_.game, record_.epoch, worker_->pid()};
  output_log_.read_last(*output, source, services_.config.logs.rate(), now_ns);
}

void Arena::watch_worker(uint64_t now_ns) {
  give_up_signals(now_ns);
  const IncarnationView* region = starting_ ? &*starting_ : lived();
  if (worker_ == nullptr || region == nullptr || shutting_down_) return;
  // One that has moved is looked at every other time: with hundreds of arenas a look is mostly waiting for memory.
  const bool is_calm = !handover_ && !slow_asked_ && hang_.stalled_ns() == 0;
  if (is_calm && std::exchange(was_passed_over_, !was_passed_over_)) return;
  note_slow_frame(*region);
  watch_probation(now_ns);
  if (cpu_.is_due(now_ns)) {
    if (const auto cpu_ns = cpu_time_ns(worker_->pid())) cpu_.read(now_ns, *cpu_ns);
  }
  const uint64_t beats = region->status().beats.load(std::memory_order_relaxed);
  if (ARENAD_MUTANT("hang.never_ended")) return;
  switch (hang_.observe(hang_policy(), now_ns, beats, activity_of(*region))) {
    case HangAction::none:
      break;
    case HangAction::look:
      board_.ring();
      break;
    case HangAction::record_slow:
      worker_->kill(kWhereAreYouSignal);
      slow_asked_ = true;
      break;
    case HangAction::abort:
      end_worker(fmt::format("it did not move for {} ms ({} frame {})", hang_.stalled_ns() / kMillisecond,
                             phase_name(region->status().phase.load()), region->status().frame_decided.load()));
      break;
    case HangAction::kill:
      kill_worker();
      break;
  }
}

// It gets the chance to leave a black box; hang_ or the deadline sees to it that it is dead in the end.
void Arena::end_worker(std::string why) {
  if (!worker_) return;
  log_error("arena={} epoch={} pid={} msg=\"its worker is ended: {}\"", record_.name, record_.epoch, worker_->pid(), why);
  if (ended_by_arenad_.empty()) ended_by_arenad_ = std::move(why);
  note_struck();
  worker_->kill(SIGABRT);
}

// One that is dead already, though arenad has not looked yet, shows no sign of life.
void Arena::note_struck() {
  if (worker_ && !worker_->has_ended()) struck_ns_ = monotonic_ns();
}

IncidentScene Arena::scene(const IncarnationView& region) {
  IncidentScene scene;
  scene.id = services_.numbers.next_incident();
  scene.arena = record_.id;
  scene.name = record_.name;
  scene.game = record_.game;
  if (game_ != nullptr) {
    scene.game_version = version();
    scene.build_id = build_id_of(region, game_->facts().module_file);
  }
  scene.epoch = {record_.epoch};
  scene.pid = worker_ ? worker_->pid() : static_cast<pid_t>(region.pid());
  scene.frame = {region.status().frame_decided.load()};
  scene.phase = region.status().phase.load();
  scene.applying = applying(region);
  if (scene.applying) {
    if (const RosterChannel* channel = channels_.find(scene.applying->channel)) scene.player = channel->player;
  }
  return scene;
}

void Arena::note_slow_frame(const IncarnationView& region) {
  if (!slow_asked_) return;
  const auto slow = read_slow_frame(region, slow_seen_);
  if (!slow) return;
  slow_seen_ = slow->number;
  slow_asked_ = false;
  IncidentScene where = scene(region);
  where.frame = slow->frame;
  where.phase = slow->phase;
  where.took_ns = slow->ran_ns;
  log_warning("arena={} epoch={} pid={} frame={} msg=\"a slow frame: it has run for {} ms; arenactl crashes show {}\"",
              record_.name, record_.epoch, where.pid, slow->frame.value, slow->ran_ns / kMillisecond, where.id);
  StoreBatch batch;
  batch.incidents.push_back(report_of_slow_frame(where, *slow));
  submit(std::move(batch), Saving::record, [] {});
}

void Arena::give_group(const IncarnationView& region) {
  if (game_ == nullptr) return;
  if (const auto limits = group_limits(game_->config(), region.bytes())) {
    services_.groups.enclose(worker_->pid(), worker_->pidfd(), *limits);
  }
}

DeathFacts::Memory Arena::memory_at_death(pid_t pid) {
  if (const auto of_its_group = services_.groups.oom_of(pid)) {
    switch (*of_its_group) {
      case GroupOom::none:
        return DeathFacts::Memory::enough_or_unknown;
      case GroupOom::elsewhere:
        return DeathFacts::Memory::short_of;
      case GroupOom::at_own_limit:
        return DeathFacts::Memory::over_own_limit;
    }
  }
  // It was in arenad's group.
  return services_.oom.accounts_for_a_death() ? DeathFacts::Memory::short_of : DeathFacts::Memory::enough_or_unknown;
}

Charge Arena::note_death(const IncarnationView& region, Exit exit) {
  DeathFacts facts;
  facts.exit = exit;
  facts.note = read_end_note(region);
  facts.ended_by_arenad = std::exchange(ended_by_arenad_, {});
  IncidentScene where = scene(region);
  facts.pid = where.pid;
  const bool by_sigkill = (exit.how == Exit::How::signalled && exit.value == SIGKILL) ||
                          (exit.how == Exit::How::unknown && facts.note.kind == EndKind::none);
  if (by_sigkill && facts.ended_by_arenad.empty()) facts.memory = memory_at_death(where.pid);
  Death death = judge_death(facts);
  const auto signal = blamed_signal(region);
  if (signal) death.cause += "; it applied the signal " + *signal;
  where.took_ns = hang_.stalled_ns();
  where.heard_ns = died_ns_;
  where.last_sign = last_sign_of(region, facts.note);
  StoreBatch batch;
  // One that took too long to begin, and still moved, was slow: that is no event's doing.
  const bool was_overdue = !facts.ended_by_arenad.empty() && !hang_.has_hung();
  const bool is_blamed = !was_overdue && !ARENAD_MUTANT("death.poison_not_blamed");
  const auto poison = poison_.died(where.applying, is_blamed ? death.doing : PoisonWatch::Doing::from_outside);
  Charge charge = poison ? quarantine(*poison, death.doing, region, where, batch) : Charge::budget;
  if (signal) charge = Charge::uncharged;
  const std::string signature = crash_signature(death, facts);
  services_.metrics.died(record_.id, record_.game, to_string(death.kind), signature);
  if (!ARENAD_MUTANT("death.exit_not_told")) last_exit_ = death.cause;
  last_crash_ = where.id;
  log_warning(
      "arena={} game={} epoch={} pid={} frame={} signature=\"{}\" msg=\"its worker died: {}; arenactl crashes show {}\"",
      record_.name, record_.game, record_.epoch, where.pid, where.frame.value, signature, death.cause, where.id);
  has_died_ = true;
  LifecycleLog::Details details{{"kind", to_string(death.kind)},
                                {"cause", death.cause},
                                {"signature", signature},
                                {"crash", std::to_string(where.id)},
                                {"pid", std::to_string(where.pid)}};
  if (where.last_sign.what != LastSign::unknown) {
    const uint64_t detect_ns = died_ns_ - where.last_sign.at_ns;
    services_.metrics.detected(record_.game, detect_ns);
    details.emplace_back("detect_ms", fmt::format("{:.2f}", static_cast<double>(detect_ns) / 1e6));
  }
  tell(LifecycleEvent::died, std::move(details));
  // The recovery from the death before has ended here.
  if (auto overtaken = unrecovered_ ? overtaken_by(*unrecovered_, where.id) : std::nullopt) {
    batch.recovered.push_back(std::move(*overtaken));
  }
  unrecovered_ = report_of_death(where, death, facts);
  batch.incidents.push_back(*unrecovered_);
  submit(std::move(batch), Saving::record, [] {});
  return charge;
}

// Of one that hung it is the last one from before, which was found to be long ago: what it did when it was ended is none.
SignOfLife Arena::last_sign_of(const IncarnationView& region, const EndNote& note) const {
  const WorkerStatus& s = region.status();
  const SignOfLife frame{LastSign::frame, s.heartbeat_ns.load(std::memory_order_relaxed)};
  const SignOfLife seen{LastSign::seen, hang_.alive_ns(s.beats.load(std::memory_order_relaxed))};
  const SignOfLife assigned{LastSign::assigned, assigned_ns_};
  if (hang_.has_hung()) return last_of({frame, seen, assigned}, died_ns_);
  return last_of({{LastSign::note, note.at_ns}, frame, seen, {LastSign::struck, struck_ns_}, assigned}, died_ns_);
}

// Of an arena that had failed under an earlier arenad nobody knows when: what is known begins with the assignment.
RecoveryTimes Arena::recovery_times() const {
  return times_of({.heard_ns = died_ns_ == 0 ? assigned_ns_ : died_ns_,
                   .assigned_ns = assigned_ns_,
                   .loaded_ns = starting_->status().loaded_ns.load(std::memory_order_relaxed),
                   .live_ns = monotonic_ns()});
}

// The worker that has taken the place of one that died is live: the report of that death gets what it took.
void Arena::note_recovery(RecoveryTimes times) {
  const auto death = std::exchange(unrecovered_, std::nullopt);
  if (!death || !starting_) return;
  if (ARENAD_MUTANT("death.recovery_part_left_out") && times.parts) times.parts->load_ns = 0;
  const WorkerStatus& s = starting_->status();
  const uint64_t last_frame_ns = lived_ ? lived_->status().heartbeat_ns.load() : 0;  // 0: none was ever run
  const auto completed = with_recovery(*death, {.times = times,
                                                .rung = rung_name(s.rung.load()),
                                                .replayed_frames = s.replayed_frames.load(),
                                                .replayed_events = s.replayed_events.load(),
                                                .ticks_lost = ticks_lost(last_frame_ns, monotonic_ns(), starting_->tick_hz())});
  if (!completed) return;
  StoreBatch batch;
  batch.recovered.push_back(*completed);
  submit(std::move(batch), Saving::record, [] {});
}

}  // namespace arenad
