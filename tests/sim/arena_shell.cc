#include "tests/sim/arena_shell.h"

#include <algorithm>

#include "tests/sim/arenad.h"
#include "tests/sim/world.h"

namespace arenad::sim {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

ArenaDisposition disposition_of(ArenaState state) {
  switch (state) {
    case ArenaState::starting:
    case ArenaState::running:
    case ArenaState::recovering:
    case ArenaState::backing_off:
    case ArenaState::restarting:
    case ArenaState::stopping:
      return ArenaDisposition::running;
    case ArenaState::stopped:
      return ArenaDisposition::stopped;
    case ArenaState::ended:
      return ArenaDisposition::ended;
    case ArenaState::failed:
      return ArenaDisposition::failed;
    case ArenaState::lost:
      return ArenaDisposition::lost;
  }
  return ArenaDisposition::running;
}

ArenaState state_of(ArenaDisposition disposition) {
  switch (disposition) {
    case ArenaDisposition::running:
    case ArenaDisposition::saved:
      return ArenaState::starting;
    case ArenaDisposition::stopped:
      return ArenaState::stopped;
    case ArenaDisposition::ended:
      return ArenaState::ended;
    case ArenaDisposition::failed:
      return ArenaState::failed;
    case ArenaDisposition::lost:
      return ArenaState::lost;
  }
  return ArenaState::lost;
}

}  // namespace

ArenaShell::ArenaShell(Arenad& arenad, ArenaId id, ArenaRow row)
    : arenad_(arenad),
      world_(arenad.world()),
      id_(id),
      row_(row),
      lifecycle_(state_of(row.disposition), world_.settings().restart),
      deadline_(world_,
                [this] {
                  world_.met(Met::overdue);
                  carry_out(lifecycle_.overdue());
                }),
      reclaim_deadline_(world_, [this] { drop_those_who_did_not_return(); }) {}

// ---- what it begins with ------------------------------------------------------------------------------------------------

void ArenaShell::begin_new() {
  persist();
  carry_out(lifecycle_.begin(BeginWith::nothing));
}

void ArenaShell::take_up(const Durable& durable) {
  quarantined_ = durable.quarantined;
  skip_channel_ids();
  checkpoints_damaged_ = !durable.checkpoint && durable.damaged != 0 && !world_.is(Mutant::damaged_checkpoints_begin_anew);
  if (row_.disposition != ArenaDisposition::running) {
    if (durable.checkpoint) take_over_checkpoint(*durable.checkpoint);
    // Its row is all that is known: what ran after that was written, and is gone with all memory, cannot be told.
    world_.checker().reported_set_back(id_);
    return;
  }
  if (!durable.checkpoint && durable.damaged != 0) {
    carry_out(lifecycle_.lose());
    return;
  }
  if (!durable.checkpoint) {
    world_.met(Met::begun_anew);
    world_.checker().reported_set_back(id_);
    carry_out(lifecycle_.begin(BeginWith::nothing));
    return;
  }
  world_.met(Met::set_back);
  world_.checker().reported_set_back(id_);
  take_over_checkpoint(*durable.checkpoint);
  carry_out(lifecycle_.begin(BeginWith::checkpoint));
}

void ArenaShell::take_over_checkpoint(const Snapshot& checkpoint) {
  for (const ChannelAt& at : checkpoint.channels) {
    if (roster_.find(at.id) != nullptr) continue;
    roster_.add_departed(at.id, at.slot, std::to_string(at.player), Fd(), 1);
    const AssignedChannel departed{at.id, at.slot, at.player, std::make_shared<Channel>(0), true};
    channels_[at.id.value] = departed;
    if (!world_.is(Mutant::departed_channels_not_kept)) keep_channel(departed);
  }
  durable_ = checkpoint.frame;
  outputs_resumed_from_ = checkpoint.outputs;
  submitted_ = durable_;
  board_->durable_frame = durable_.value;
  row_.epoch = std::max(row_.epoch, checkpoint.epoch.value);
  results_read_ = checkpoint.results;
}

// An earlier arenad may have given out ids of which nothing is left.
void ArenaShell::skip_channel_ids() {
  if (!world_.is(Mutant::channel_ids_given_again)) roster_.use_up({world_.now() / kUs});
}

void ArenaShell::is_kept(const KeepKey& key) {
  kept_.insert(key);
  if (key.kind != KeptKind::channel) row_.epoch = std::max(row_.epoch, key.number);
}

void ArenaShell::inherit(Inheritance inheritance, const Durable& durable) {
  lived_ = std::move(inheritance.region);
  skip_channel_ids();
  row_.epoch = std::max(row_.epoch, lived_->epoch.value);
  quarantined_ = durable.quarantined;
  // What it was not given must not come back, also if the database was never told of it.
  quarantined_.insert(lived_->quarantined.begin(), lived_->quarantined.end());
  for (AssignedChannel& channel : inheritance.channels) {
    keep_channel(channel);
    roster_.restore({channel.id, channel.slot, std::to_string(channel.player), Fd(),
                     channel.gone ? std::optional<uint32_t>(1) : std::nullopt});
    channels_[channel.id.value] = std::move(channel);
  }
  if (durable.checkpoint) durable_ = durable.checkpoint->frame;
  submitted_ = durable_;
  board_->durable_frame = durable_.value;
  board_->results_committed = durable.results;
  world_.checker().durable_told(id_, durable_.value);
  results_read_ = lived_->results.begin;
  save_results();
}

void ArenaShell::recover_from(Inheritance inheritance, const Durable& durable) {
  inherit(std::move(inheritance), durable);
  world_.met(Met::recovered_from_region);
  carry_out(lifecycle_.begin(BeginWith::predecessor));
}

void ArenaShell::keep(Inheritance inheritance, const Durable& durable) {
  inherit(std::move(inheritance), durable);
  world_.met(Met::region_kept_of_failed);
  drop_those_who_did_not_return();
}

void ArenaShell::adopt(const Offer& offer, std::vector<AssignedChannel> channels, const Durable& durable) {
  pid_ = offer.pid;
  hang_.reset();
  inherit({offer.region, std::move(channels)}, durable);
  kept_.insert({id_, KeptKind::region, lived_->epoch.value});
  kept_.insert({id_, KeptKind::process, lived_->epoch.value});
  world_.keep({id_, KeptKind::region, lived_->epoch.value}, {.region = lived_});
  world_.keep({id_, KeptKind::process, lived_->epoch.value}, {.pid = pid_});
  arenad_.point(ArenadPoint::adopting);
  if (world_.is(Mutant::epoch_reused_after_adoption)) row_.epoch = lived_->epoch.value - 1;
  tell({.kind = ToWorker::Kind::adopt, .board = board_});
  world_.met(Met::adopted);
  world_.checker().adopted(id_, pid_);
  carry_out(lifecycle_.adopt(world_.now()));
}

void ArenaShell::expect_clients_back() {
  if (channels_.empty()) return;
  reclaim_deadline_.start(world_.settings().reclaim_timeout_ns);
}

void ArenaShell::drop_those_who_did_not_return() {
  std::vector<ChannelId> missing;
  for (const auto& [id, channel] : roster_.all()) {
    const bool is_back =
        std::any_of(attachments_.begin(), attachments_.end(), [&](const auto& a) { return a.second == channel.id; });
    if (!channel.gone_reason && !is_back) missing.push_back(channel.id);
  }
  for (const ChannelId id : missing) {
    roster_.leave(id, 1);
    channels_.at(id.value).gone = true;
    tell({.kind = ToWorker::Kind::leave, .channel = {.id = id}});
  }
}

// ---- its workers --------------------------------------------------------------------------------------------------------

void ArenaShell::carry_out(const ArenaActions& actions) {
  // It is decided, also if arenad dies before all of it is done.
  world_.checker().state(id_, lifecycle_.state(), lived_.get(), lifecycle_.budget());
  for (const ArenaAction& action : actions) {
    arenad_.point(ArenadPoint::before_action);
    std::visit(Overloaded{
                   [&](const act::BeginIncarnation& a) { begin_incarnation(a.with); },
                   [&](const act::KillWorker&) {
                     if (pid_ == 0) return;
                     // Told to abort first, it leaves a note if it can: what it was doing then is to blame, as for a hang.
                     killed_for_hang_ = true;
                     was_stopped_ = world_.is_stopped(pid_);
                     world_.checker().ended_as_late(id_, pid_, deadline_.began_ns());
                     world_.arenad_kills(pid_, Why::overdue);
                   },
                   [&](const act::TellFinish&) { tell({.kind = ToWorker::Kind::finish}); },
                   [&](const act::StartDelay& a) {
                     world_.met(Met::backoff);
                     world_.arenad_timer(a.delay_ns, [this, serial = ++delay_] {
                       if (delay_ == serial) carry_out(lifecycle_.delay_over());
                     });
                   },
                   [&](const act::ArmReadyDeadline&) { deadline_.start(world_.settings().ready_timeout_ns); },
                   [&](const act::ArmStopDeadline&) { deadline_.start(world_.settings().stop_timeout_ns); },
                   [&](const act::DisarmDeadline&) { deadline_.stop(); },
                   [&](const act::AnnounceGone&) { announce_gone(); },
                   [&](const act::Persist&) { persist(); },
                   [&](const act::CheckpointLast&) { save_last(); },
               },
               action);
  }
}

void ArenaShell::begin_incarnation(BeginWith with) {
  if (world_.is(Mutant::checkpoint_instead_of_region) && with == BeginWith::predecessor && durable_.value != 0)
    with = BeginWith::checkpoint;
  if (world_.is(Mutant::lost_without_asking_the_database) && with == BeginWith::predecessor_checkpoint)
    with = BeginWith::predecessor;
  ++serial_;
  arenad_.point(ArenadPoint::begin_decided);
  if (with != BeginWith::checkpoint && with != BeginWith::predecessor_checkpoint) {
    take_worker(with, std::nullopt);
    return;
  }
  arenad_.store().query([this, with, serial = serial_](const Database& database) {
    if (serial_ != serial) return;
    std::optional<StoredSnapshot> found;
    const auto arena = database.arenas.find(id_);
    if (arena != database.arenas.end()) {
      if (const StoredSnapshot* whole = arena->second.newest_whole()) {
        found = *whole;
        if (whole != &arena->second.checkpoints.front()) world_.checker().reported_set_back(id_);
      }
    }
    if (with == BeginWith::checkpoint && found) take_over_checkpoint(found->snapshot);
    take_worker(with, std::move(found));
  });
}

void ArenaShell::take_worker(BeginWith with, std::optional<StoredSnapshot> checkpoint) {
  world_.take_spare([this, with, checkpoint = std::move(checkpoint), serial = serial_](Pid pid) {
    if (serial_ != serial) {
      if (pid != 0) world_.arenad_kills(pid, Why::not_needed);
      return;
    }
    if (pid == 0) {
      world_.met(Met::no_worker);
      no_worker();
    } else {
      assign(pid, with, checkpoint);
    }
  });
}

void ArenaShell::no_worker() {
  world_.checker().charged(id_);
  carry_out(lifecycle_.no_worker(world_.now(), world_.draw(Stream::arenad).next()));
}

void ArenaShell::assign(Pid pid, BeginWith with, std::optional<StoredSnapshot> checkpoint) {
  ++row_.epoch;
  announced_end_.reset();
  pid_ = pid;
  hang_.reset();
  killed_for_hang_ = was_stopped_ = false;
  starting_ = world_.region_of_spare(pid);
  arenad_.point(ArenadPoint::before_registration);
  kept_.insert({id_, KeptKind::region, row_.epoch});
  kept_.insert({id_, KeptKind::process, row_.epoch});
  world_.keep({id_, KeptKind::region, row_.epoch}, {.region = starting_});
  world_.keep({id_, KeptKind::process, row_.epoch}, {.pid = pid_});
  arenad_.point(ArenadPoint::after_registration);
  auto assignment = std::make_shared<Assignment>();
  assignment->arena = id_;
  assignment->epoch = {row_.epoch};
  assignment->with = with;
  assignment->board = board_;
  if (with == BeginWith::predecessor || with == BeginWith::predecessor_checkpoint) assignment->predecessor = lived_;
  assignment->checkpoint = std::move(checkpoint);
  for (const auto& [id, channel] : channels_) assignment->channels.push_back(channel);
  if (!world_.is(Mutant::quarantine_not_told_to_successor)) assignment->quarantined = quarantined_;
  tell({.kind = ToWorker::Kind::assign, .assignment = std::move(assignment)});
}

void ArenaShell::tell(ToWorker message) {
  if (pid_ == 0) return;
  message.from_life = arenad_.life();
  world_.to_worker(pid_, 30 * kUs, std::move(message));
}

void ArenaShell::take_message(const FromWorker& message) {
  switch (message.kind) {
    case FromWorker::Kind::live:
      worker_live();
      break;
    case FromWorker::Kind::refused:
      announced_end_ = message.refused;
      break;
    case FromWorker::Kind::finished:
      announced_end_ = WorkerEnd::finished;
      break;
    case FromWorker::Kind::ended:
      announced_end_ = WorkerEnd::ended;
      break;
    case FromWorker::Kind::released:
      roster_.forget(message.channel);
      channels_.erase(message.channel.value);
      forget({id_, KeptKind::channel, message.channel.value});
      break;
    case FromWorker::Kind::results:
      save_results();
      break;
  }
}

void ArenaShell::worker_live() {
  if (!starting_ || starting_->stage == Stage::blank) return;
  if (lived_) {
    forget({id_, KeptKind::process, lived_->epoch.value});
    forget({id_, KeptKind::region, lived_->epoch.value});
  }
  lived_ = std::move(starting_);
  starting_.reset();
  save_results();
  for (const auto& [client, channel] : attachments_) world_.notify_incarnation(client, lived_);
  carry_out(lifecycle_.worker_live(world_.now()));
}

// The event that this death is to be blamed on for the second time.
std::optional<EventRef> ArenaShell::blame(const Region* region, bool was_stopped) {
  if (region == nullptr) return std::nullopt;
  const bool its_own = region->black_box || (killed_for_hang_ && !was_stopped);
  const auto doing = its_own || world_.is(Mutant::kills_from_outside_blame_events) ? PoisonWatch::Doing::its_own
                                                                                   : PoisonWatch::Doing::from_outside;
  if (world_.is(Mutant::poison_skipped_after_one_death) && its_own && region->applying) return region->applying;
  auto blamed = poison_.died(region->applying, doing);
  if (world_.is(Mutant::poison_never_skipped)) blamed.reset();
  return blamed;
}

void ArenaShell::worker_ended(ExitHow how) {
  const bool in_order = how != ExitHow::signalled && announced_end_.has_value();
  const WorkerEnd end = in_order ? *announced_end_ : WorkerEnd::crashed;
  const std::shared_ptr<Region> region = starting_ ? starting_ : lived_;
  // One that died before it took its assignment: its death counts as another's doing.
  if (starting_ && starting_->arena != id_) world_.checker().died(id_, *starting_, Checker::Doing::from_outside);
  Charge charge = Charge::budget;
  std::optional<EventRef> blamed;
  if (end == WorkerEnd::crashed) {
    blamed = blame(region.get(), was_stopped_);
    if (blamed) {
      charge = world_.is(Mutant::poison_charged) ? Charge::budget : Charge::excused;
      quarantined_.emplace(blamed->channel.value, blamed->sequence);
      world_.met(Met::quarantine);
      world_.checker().quarantined(id_, *blamed);
      Batch batch;
      batch.quarantined.emplace_back(id_, *blamed);
      arenad_.store().submit(std::move(batch), [] {});
    } else {
      world_.checker().charged(id_);
    }
  } else if (in_order && end == WorkerEnd::refused_system) {
    world_.checker().charged(id_);
  }
  pid_ = 0;
  if (starting_) {
    forget({id_, KeptKind::process, row_.epoch});
    forget({id_, KeptKind::region, row_.epoch});
  } else {
    forget({id_, KeptKind::process, row_.epoch});
  }
  starting_.reset();
  save_results();
  carry_out(lifecycle_.worker_ended(end, world_.now(), world_.draw(Stream::arenad).next(), charge));
}

void ArenaShell::observe() {
  const std::shared_ptr<Region>& region = starting_ ? starting_ : lived_;
  if (pid_ == 0 || !region) return;
  // Frames that are run again may hang as those that are run for the first time; how many they are says nothing.
  const bool starts =
      region->stage == Stage::blank ||
      (region->stage == Stage::recovering && (!region->in_frame || world_.is(Mutant::hang_in_recovery_blames_nobody)));
  const WorkerActivity activity = starts             ? WorkerActivity::starting
                                  : region->in_frame ? WorkerActivity::in_frame
                                                     : WorkerActivity::between_frames;
  HangPolicy policy = world_.settings().hang;
  if (world_.is(Mutant::gap_counts_as_stall)) policy.interval_ns = 3600 * kSecond;
  switch (hang_.observe(policy, world_.now(), region->beats, activity)) {
    case HangAction::none:
      break;
    case HangAction::look:
      world_.met(Met::looked_at);
      world_.to_worker(pid_, 30 * kUs, {.kind = ToWorker::Kind::bell});
      break;
    case HangAction::record_slow:
      world_.met(Met::slow_recorded);
      break;
    case HangAction::abort:
      world_.met(Met::hang_aborted);
      world_.checker().ended_as_hung(id_, pid_);
      world_.to_worker(pid_, 30 * kUs, {.kind = ToWorker::Kind::abort});
      break;
    case HangAction::kill:
      world_.met(Met::hang_killed);
      killed_for_hang_ = true;
      was_stopped_ = world_.is_stopped(pid_);  // as /proc tells
      if (world_.is(Mutant::successor_before_death)) {
        world_.after(300 * kMs, [&world = world_, pid = pid_] { world.worker_dies(pid, Cause::outside); });
        return worker_ended(ExitHow::signalled);
      }
      world_.arenad_kills(pid_, Why::hung);
      break;
  }
}

Verdict ArenaShell::stop() {
  Answer answer = lifecycle_.stop();
  carry_out(answer.actions);
  return answer.verdict;
}

Verdict ArenaShell::restart() {
  const BeginWith source = lived_                                                      ? BeginWith::predecessor
                           : durable_.value != 0 || submitted_ || checkpoints_damaged_ ? BeginWith::checkpoint
                                                                                       : BeginWith::nothing;
  const ArenaState before = state();
  Answer answer = lifecycle_.restart(world_.now(), source);
  if (answer.verdict == Verdict::accepted) {
    if (before == ArenaState::failed) world_.met(Met::failed_revived);
    if (before == ArenaState::stopped) world_.met(Met::restarted_stopped);
    world_.checker().restarted(id_, source);
  }
  carry_out(answer.actions);
  return answer.verdict;
}

// ---- clients ------------------------------------------------------------------------------------------------------------

std::optional<ArenaShell::Attached> ArenaShell::attach(uint64_t client, ChannelRoster::Kind kind,
                                                       const std::shared_ptr<Channel>& memory) {
  if (!lifecycle_.is_active()) return std::nullopt;
  auto seat = roster_.find_place(kind, std::to_string(client), 8);
  if (!seat) return std::nullopt;
  const uint64_t from = lived_ ? lived_->outputs.published : outputs_resumed_from_;
  const RosterChannel& added = roster_.add(*seat, std::to_string(client), Fd());
  const AssignedChannel channel{added.id, added.slot, client, memory ? memory : std::make_shared<Channel>(0), false};
  channels_[added.id.value] = channel;
  keep_channel(channel);
  attachments_[client] = added.id;
  world_.checker().channel_created(id_, added.id, client);
  tell({.kind = ToWorker::Kind::join, .channel = channel});
  const bool live = lived_ && pid_ != 0 && !starting_;
  return Attached{added.id, from, live ? lived_ : nullptr};
}

std::optional<ArenaShell::Attached> ArenaShell::reattach(uint64_t client, ChannelId id,
                                                         const std::shared_ptr<Channel>& memory) {
  if (!lifecycle_.is_active()) return std::nullopt;
  const RosterChannel* channel = roster_.find(id);
  if (channel == nullptr || channel->gone_reason || channel->player != std::to_string(client) ||
      channels_.at(id.value).memory != memory)
    return std::nullopt;
  attachments_[client] = id;
  const bool live = lived_ && pid_ != 0 && !starting_;
  return Attached{id, 0, live ? lived_ : nullptr};
}

void ArenaShell::detach(uint64_t client) {
  const auto found = attachments_.find(client);
  if (found == attachments_.end()) return;
  const ChannelId id = found->second;
  attachments_.erase(found);
  roster_.leave(id, 0);
  if (const auto channel = channels_.find(id.value); channel != channels_.end()) channel->second.gone = true;
  tell({.kind = ToWorker::Kind::leave, .channel = {.id = id}});
}

void ArenaShell::announce_gone() {
  for (const auto& [client, id] : attachments_) {
    world_.notify_gone(client, id);
    roster_.leave(id, 1);
    if (const auto channel = channels_.find(id.value); channel != channels_.end()) channel->second.gone = true;
  }
  attachments_.clear();
}

// ---- the database, and what is kept -------------------------------------------------------------------------------------

std::optional<StoredSnapshot> ArenaShell::next_checkpoint() {
  if (!lived_) return std::nullopt;
  const Slot* newest = nullptr;
  for (const Slot& slot : lived_->slots) {
    if (slot.published && (newest == nullptr || *slot.published > *newest->published)) newest = &slot;
  }
  if (newest == nullptr || (submitted_ && *newest->published <= *submitted_)) return std::nullopt;
  const StoredSnapshot& stored = newest->content;
  if (stored.checksum != checksum_of(stored.snapshot) || stored.snapshot.arena != id_) return std::nullopt;
  submitted_ = stored.snapshot.frame;
  save_results();  // no later than the checkpoint behind which they would not be produced again
  return stored;
}

void ArenaShell::checkpoint_committed(FrameNumber frame) {
  if (frame > durable_) durable_ = frame;
  board_->durable_frame = durable_.value;
  world_.checker().durable_told(id_, durable_.value);
}

void ArenaShell::save_results() {
  if (!lived_) return;
  Batch batch;
  const OutputRing& ring = lived_->results;
  if (results_read_ < ring.oldest()) results_read_ = ring.oldest();
  for (; results_read_ < ring.published; ++results_read_) batch.results.emplace_back(id_, ring.at(results_read_));
  if (batch.results.empty()) return;
  const uint64_t count = batch.results.back().second.position + 1;
  if (world_.is(Mutant::result_acknowledged_before_commit)) {
    board_->results_committed = count;
    world_.checker().results_acknowledged(id_, count);
  }
  arenad_.store().submit(std::move(batch), [this, count] {
    arenad_.point(ArenadPoint::results_committed);
    board_->results_committed = count;
    world_.met(Met::result_durable);
    world_.checker().results_acknowledged(id_, count);
  });
}

void ArenaShell::persist() {
  row_.disposition = disposition_of(state());
  Batch batch;
  batch.arenas[id_] = row_;
  arenad_.store().submit(std::move(batch), [] {});
}

void ArenaShell::save_last() {
  Batch batch;
  if (auto checkpoint = next_checkpoint()) batch.checkpoints.push_back(std::move(*checkpoint));
  row_.disposition = disposition_of(state());
  if (!world_.is(Mutant::record_not_with_last_checkpoint)) batch.arenas[id_] = row_;
  const FrameNumber frame = batch.checkpoints.empty() ? durable_ : batch.checkpoints.front().snapshot.frame;
  arenad_.store().submit(std::move(batch), [this, frame, saved = lived_] {
    checkpoint_committed(frame);
    if (state() != ArenaState::stopped && state() != ArenaState::ended) return;
    if (lived_ && lived_ != saved && !world_.is(Mutant::earlier_stop_forgets)) return;
    world_.checker().memory_given_up(id_, lived_.get());
    lived_.reset();
    roster_.clear();
    channels_.clear();
    forget_all();
  });
  if (world_.is(Mutant::record_not_with_last_checkpoint)) persist();
}

void ArenaShell::keep_channel(const AssignedChannel& channel) {
  const KeepKey key{id_, KeptKind::channel, channel.id.value};
  kept_.insert(key);
  world_.keep(key, {.channel = channel.memory, .slot = channel.slot, .player = channel.player});
}

void ArenaShell::forget(const KeepKey& key) {
  if (kept_.erase(key) != 0) world_.forget(key);
}

void ArenaShell::forget_all() {
  for (const KeepKey& key : kept_) world_.forget(key);
  kept_.clear();
}

}  // namespace arenad::sim
