// How an arena begins with what an earlier arenad has left of it: a live worker, regions without one, or the database alone.
#include <algorithm>

#include "arenad/module_abi.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "supervisor/arena.h"
#include "supervisor/log.h"

namespace arenad {

Arena::Resumed Arena::take_up(const Durable& durable) {
  const std::optional<Snapshot>& checkpoint = durable.checkpoint;
  restore_quarantine(durable.quarantined);
  const bool saved = record_.disposition == ArenaDisposition::saved;
  skip_channel_ids();
  checkpoints_damaged_ = !checkpoint && durable.damaged != 0;
  checkpoints_unread_ = durable.unread.has_value();
  if (durable.unread) return stay_down(*durable.unread);
  if (!saved && record_.disposition != ArenaDisposition::running) {
    if (checkpoint) (void)take_over_checkpoint(*checkpoint);
    return Resumed::as_it_was;
  }
  if (!checkpoint && (saved || durable.damaged != 0)) {
    record_.reason = "none of its checkpoints can be read";
    carry_out(lifecycle_.lose());
    return Resumed::as_it_was;
  }
  if (!checkpoint) {
    log_warning("arena={} msg=\"everything ended before its first checkpoint: the arena begins anew\"", record_.name);
    tell(LifecycleEvent::resumed, {{"from_frame", "0"}, {"set_back", "yes"}});
    carry_out(lifecycle_.begin(BeginWith::nothing));
    return Resumed::set_back;
  }
  (void)take_over_checkpoint(*checkpoint);
  const Resumed resumed = saved && durable.damaged == 0 ? Resumed::as_it_was : Resumed::set_back;
  const uint64_t frame = checkpoint->facts().frame.value;
  const uint64_t now_ms = unix_ms();
  // The clock may have been set back since.
  const uint64_t age_ms = now_ms - std::min<uint64_t>(now_ms, checkpoint->facts().time_unix_ns / kMillisecond);
  if (resumed == Resumed::as_it_was) {
    log_info("arena={} frame={} msg=\"goes on where it was when arenad was stopped\"", record_.name, frame);
  } else {
    log_warning("arena={} frame={} msg=\"set back to {} checkpoint, {} ms ago; what came after it is lost\"", record_.name,
                frame, durable.damaged == 0 ? "its last" : "an older, undamaged", age_ms);
  }
  tell(LifecycleEvent::resumed,
       {{"from_frame", std::to_string(frame)}, {"set_back", resumed == Resumed::set_back ? "yes" : "no"}});
  carry_out(lifecycle_.begin(BeginWith::checkpoint));
  return resumed;
}

// To begin anew would overwrite what is there.
Arena::Resumed Arena::stay_down(const Error& error) {
  if (!is_active()) return Resumed::as_it_was;
  record_.reason = "its checkpoints cannot be read: " + error.text() + "; restart it when the disk is well: arenactl restart " +
                   record_.name;
  log_error("arena={} msg=\"{}\"", record_.name, record_.reason);
  carry_out(lifecycle_.fail());
  return Resumed::as_it_was;
}

void Arena::expect(std::vector<RosterChannel> channels) {
  for (RosterChannel& channel : channels) {
    kept_.keep_channel(channel);
    channels_.restore(std::move(channel));
  }
}

void Arena::inherit(Inheritance inheritance, const Durable& durable) {
  lived_ = std::move(inheritance.region);
  // It may be of other code than the database says: of two incarnations at a change of code, one has lived last.
  if (!lived_->code().is_null()) game_ = version_of(lived_->code());
  skip_channel_ids();
  record_.code = game_ == nullptr || game_->hash().is_null() ? "" : game_->hash().text();
  record_.epoch = std::max(record_.epoch, lived_->epoch().value);
  if (ARENAD_MUTANT("adoption.epoch_of_before")) --record_.epoch;
  // The database may have been behind when the last arenad died. Each restart took an epoch, whatever the worker has written there.
  record_.restarts = std::max(record_.restarts, std::min<uint64_t>(lived_->restarts(), record_.epoch));
  max_players_ = lived_->max_players();
  expect(std::move(inheritance.channels));
  if (inheritance.origin && record_.disposition == ArenaDisposition::running) resume_probation(std::move(*inheritance.origin));
  restore_quarantine(durable.quarantined);
  take_note_of_logged_frames();
  if (durable.checkpoint) durable_ = durable.checkpoint->facts().frame;
  submitted_ = durable_;
  board_.set_durable_frame(durable_.value);
  board_.set_results_committed(ARENAD_MUTANT("adoption.results_acknowledged") ? UINT64_MAX : durable.results);
  // Those that are in the database already are stored once all the same.
  results_.skip_to(lived_->status().system_begin.load());
  save_results();
  count();
}

// An earlier arenad may have given out ids of which nothing is left, and an id is never used again: what is in quarantine is known by it.
// Nobody attaches a client each microsecond.
void Arena::skip_channel_ids() {
  const uint64_t now_us = unix_ns() / 1000;
  channels_.use_up({now_us});
  // The clock may have been set back, and whoever has an id that frames have passed counts as one that left. What a worker says is believed
  // within reason only: ids must not run out.
  if (lived_) channels_.use_up({std::min(lived_->status().newest_joined.load(), 2 * now_us)});
}

void Arena::expect_clients_back() {
  if (!channels_.all().empty()) reclaim_deadline_.start(services_.config.arenas.reclaim_timeout_ms);
}

void Arena::recover_from(Inheritance inheritance, const Durable& durable) {
  inherit(std::move(inheritance), durable);
  died_ns_ = monotonic_ns();
  ++record_.restarts;
  log_warning("arena={} epoch={} frame={} msg=\"its worker died with the last arenad: it is recovered from what was kept\"",
              record_.name, record_.epoch, lived_->status().frame_decided.load());
  note_death(*lived_, Exit{});
  ARENAD_CRASH_POINT("arenad.adoption.recover");
  const bool takes_back = handover_ && decide_to_take_back();
  carry_out(lifecycle_.begin(takes_back ? BeginWith::origin : BeginWith::predecessor));
}

void Arena::keep(Inheritance inheritance, const Durable& durable) {
  inherit(std::move(inheritance), durable);
  drop_those_who_did_not_return();  // they were told when it failed
}

void Arena::adopt(std::unique_ptr<ChildProcess> worker, Inheritance inheritance, const Durable& durable) {
  worker_ = std::move(worker);
  begin_watching();
  inherit(std::move(inheritance), durable);
  slow_seen_ = lived_->black_box().slow.written.load();  // an earlier arenad has written those down
  kept_.keep_incarnation(lived_->epoch(), lived_->fd(), worker_->pidfd());
  listen_to_worker();
  give_group(*lived_);
  ARENAD_CRASH_POINT("arenad.adoption.before_board");
  const int board = board_.fd().get();
  tell_worker([](wire::ToWorker::Builder message) { message.setAdopt(); }, {&board, 1});
  ARENAD_CRASH_POINT("arenad.adoption.board_sent");
  log_info("arena={} epoch={} pid={} frame={} msg=\"adopted\"", record_.name, record_.epoch, worker_->pid(),
           lived_->status().frame_done.load());
  tell(LifecycleEvent::adopted, {{"pid", std::to_string(worker_->pid())}});
  carry_out(lifecycle_.adopt(monotonic_ns()));
}

// The players of the snapshot have gone with everything else. Their channels are empty ones, so that the frames of the next
// incarnation see them leave.
Result<void> Arena::take_over_checkpoint(const Snapshot& checkpoint) {
  // What there is to begin with is known, whatever there is no room for.
  durable_ = checkpoint.facts().frame;
  outputs_resumed_from_ = checkpoint.facts().outputs_position;
  submitted_ = durable_;
  board_.set_durable_frame(durable_.value);
  record_.epoch = std::max(record_.epoch, checkpoint.facts().epoch.value);
  results_.skip_to(checkpoint.facts().system_position);
  for (const ChannelAt& at : checkpoint.channels()) {
    if (channels_.find(at.channel) != nullptr) continue;
    auto empty = ChannelWriter::create(0);
    if (!empty) return empty.error();
    auto fd = empty->fd().duplicate();
    if (!fd) return fd.error();
    channels_.add_departed(at.channel, at.slot, at.player, std::move(*fd), ARENAD_DROPPED);
    // The first snapshots of the next incarnation name it, and so whoever recovers from them must have it.
    kept_.keep_channel(*channels_.find(at.channel));
  }
  return {};
}

}  // namespace arenad
