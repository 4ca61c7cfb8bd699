#include "supervisor/arena.h"

#include <algorithm>
#include <signal.h>

#include "arenad/module_abi.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

WorkerEnd end_of(wire::RefusedCode code) {
  switch (code) {
    case wire::RefusedCode::PARAMS:
      return WorkerEnd::refused_params;
    case wire::RefusedCode::STATE:
      return WorkerEnd::refused_state;
    case wire::RefusedCode::NO_SNAPSHOT:
      return WorkerEnd::refused_no_snapshot;
    case wire::RefusedCode::BROKEN_LOG:
      return WorkerEnd::refused_broken_log;
    case wire::RefusedCode::SYSTEM:
      return WorkerEnd::refused_system;
  }
  return WorkerEnd::refused_system;
}

wire::Reason reason_for(BeginWith with, uint64_t crashes) {
  switch (with) {
    case BeginWith::nothing:
      return wire::Reason::FRESH;
    case BeginWith::predecessor:
    case BeginWith::predecessor_checkpoint:
      return crashes == 0 ? wire::Reason::RESTART : wire::Reason::CRASH;
    case BeginWith::checkpoint:
      return wire::Reason::RESUME;
  }
  return wire::Reason::CRASH;
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

// A region that holds a checkpoint, for a worker to read.
Result<Fd> region_of(const std::string& bytes) {
  auto region = Region::create("arenad-checkpoint", bytes.size());
  if (!region) return region.error();
  std::memcpy(region->data(), bytes.data(), bytes.size());
  if (auto sealed = region->seal(); !sealed) return sealed.error();
  return region->fd().duplicate();
}

StreamView system_of(const IncarnationView& view) {
  const WorkerStatus& s = view.status();
  return {view.system_ring(), view.system_capacity(), s.system_published, s.system_begin, s.system_reserved};
}

}  // namespace

Arena::Arena(ArenaServices services, ArenaRecord record, Board board, GameTemplate* game)
    : services_(services),
      record_(std::move(record)),
      game_(game),
      lifecycle_(state_of(record_.disposition), services.config.restart.policy()),
      board_(std::move(board)),
      kept_(services.manager, record_.id),
      delay_(services.loop,
             [this] {
               services_.facts.post([self = std::weak_ptr(self_)] {
                 if (const auto alive = self.lock()) (*alive)->carry_out((*alive)->lifecycle_.delay_over());
               });
             }),
      deadline_(services.loop,
                [this] {
                  services_.facts.post([self = std::weak_ptr(self_)] {
                    const auto alive = self.lock();
                    if (!alive) return;
                    log_error("arena={} msg=\"not {} within its time\"", (*alive)->record_.name, to_string((*alive)->state()));
                    (*alive)->carry_out((*alive)->lifecycle_.overdue());
                  });
                }),
      drain_deadline_(services.loop,
                      [this] {
                        services_.facts.post([self = std::weak_ptr(self_)] {
                          if (const auto alive = self.lock()) (*alive)->stop();
                        });
                      }),
      reclaim_deadline_(services.loop, [this] {
        services_.facts.post([self = std::weak_ptr(self_)] {
          if (const auto alive = self.lock()) (*alive)->drop_those_who_did_not_return();
        });
      }) {}

Result<std::unique_ptr<Arena>> Arena::create(ArenaServices services, ArenaRecord record, GameTemplate* game) {
  auto board = Board::create();
  if (!board) return board.error();
  return std::unique_ptr<Arena>(new Arena(services, std::move(record), std::move(*board), game));
}

void Arena::begin_new() {
  persist();
  carry_out(lifecycle_.begin(BeginWith::nothing));
}

Arena::Resumed Arena::take_up(const Durable& durable) {
  const std::optional<Snapshot>& checkpoint = durable.checkpoint;
  const bool saved = record_.disposition == ArenaDisposition::saved;
  if (!saved && record_.disposition != ArenaDisposition::running) {
    if (checkpoint) take_over_checkpoint(*checkpoint);
    return Resumed::as_it_was;
  }
  if (!checkpoint && (saved || durable.damaged != 0)) {
    record_.reason = "none of its checkpoints can be read";
    carry_out(lifecycle_.lose());
    return Resumed::as_it_was;
  }
  if (!checkpoint) {
    log_warning("arena={} msg=\"everything ended before its first checkpoint: the arena begins anew\"", record_.name);
    carry_out(lifecycle_.begin(BeginWith::nothing));
    return Resumed::set_back;
  }
  take_over_checkpoint(*checkpoint);
  const Resumed resumed = saved && durable.damaged == 0 ? Resumed::as_it_was : Resumed::set_back;
  const uint64_t frame = checkpoint->facts().frame.value;
  if (resumed == Resumed::as_it_was) {
    log_info("arena={} frame={} msg=\"goes on where it was when arenad was stopped\"", record_.name, frame);
  } else {
    log_warning("arena={} frame={} msg=\"set back to {} checkpoint, {} ms ago; what came after it is lost\"", record_.name,
                frame, durable.damaged == 0 ? "its last" : "an older, undamaged",
                unix_ms() - checkpoint->facts().time_unix_ns / kMillisecond);
  }
  carry_out(lifecycle_.begin(BeginWith::checkpoint));
  return resumed;
}

void Arena::inherit(Inheritance inheritance, const Durable& durable) {
  lived_ = std::move(inheritance.region);
  record_.epoch = std::max(record_.epoch, lived_->epoch().value);
  max_players_ = lived_->max_players();
  for (RosterChannel& channel : inheritance.channels) {
    kept_.keep_channel(channel);
    channels_.restore(std::move(channel));
  }
  if (durable.checkpoint) durable_ = durable.checkpoint->facts().frame;
  submitted_ = durable_;
  board_.set_durable_frame(durable_.value);
  board_.set_results_committed(durable.results);
  // Those that are in the database already are stored once all the same.
  results_.skip_to(lived_->status().system_begin.load());
  save_results();
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
  carry_out(lifecycle_.begin(BeginWith::predecessor));
}

void Arena::keep(Inheritance inheritance, const Durable& durable) {
  inherit(std::move(inheritance), durable);
  drop_those_who_did_not_return();  // they were told when it failed
}

void Arena::adopt(std::unique_ptr<ChildProcess> worker, Inheritance inheritance, const Durable& durable) {
  worker_ = std::move(worker);
  inherit(std::move(inheritance), durable);
  kept_.keep_incarnation({record_.epoch}, lived_->fd(), worker_->pidfd());
  listen_to_worker();
  const int board = board_.fd().get();
  tell_worker([](wire::ToWorker::Builder message) { message.setAdopt(); }, {&board, 1});
  log_info("arena={} epoch={} pid={} frame={} msg=\"adopted\"", record_.name, record_.epoch, worker_->pid(),
           lived_->status().frame_done.load());
  carry_out(lifecycle_.adopt(monotonic_ns()));
}

void Arena::drop_those_who_did_not_return() {
  std::vector<ChannelId> missing;
  for (const auto& [id, channel] : channels_.all()) {
    const bool is_back = std::any_of(attachments_.begin(), attachments_.end(),
                                     [&](const ArenaAttachment& a) { return a.channel == channel.id; });
    if (!channel.gone_reason && !is_back) missing.push_back(channel.id);
  }
  for (const ChannelId id : missing) {
    channels_.leave(id, ARENAD_DROPPED);
    tell_worker([&](wire::ToWorker::Builder message) {
      auto leave = message.initLeave();
      leave.setId(id.value);
      leave.setReason(ARENAD_DROPPED);
    });
  }
}

void Arena::listen_to_worker() {
  worker_->listen({[this](const LinkMessage& message) { take_message(message); }, [this](Exit exit) { worker_ended(exit); }});
}

// The players of the snapshot have gone with everything else. Their channels are empty ones, so that the frames of the next
// incarnation see them leave.
void Arena::take_over_checkpoint(const Snapshot& checkpoint) {
  for (const ChannelAt& at : checkpoint.channels()) {
    if (channels_.find(at.channel) != nullptr) continue;
    auto empty = ChannelWriter::create(0);
    if (!empty) continue;
    auto fd = empty->fd().duplicate();
    if (fd) channels_.add_departed(at.channel, at.slot, at.player, std::move(*fd), ARENAD_DROPPED);
  }
  durable_ = checkpoint.facts().frame;
  outputs_resumed_from_ = checkpoint.facts().outputs_position;
  submitted_ = durable_;
  board_.set_durable_frame(durable_.value);
  record_.epoch = std::max(record_.epoch, checkpoint.facts().epoch.value);
  results_.skip_to(checkpoint.facts().system_position);
}

void Arena::carry_out(const ArenaActions& actions) {
  for (const ArenaAction& action : actions) {
    std::visit(Overloaded{
                   [&](const act::BeginIncarnation& a) { begin_incarnation(a.with); },
                   [&](const act::KillWorker&) { kill_worker(); },
                   [&](const act::TellFinish&) { tell_worker([](wire::ToWorker::Builder m) { m.setFinish(); }); },
                   [&](const act::StartDelay& a) {
                     delay_until_ns_ = monotonic_ns() + a.delay_ns;
                     delay_.start(a.delay_ns / kMillisecond + 1);
                   },
                   [&](const act::ArmReadyDeadline&) { deadline_.start(services_.config.arenas.ready_timeout_ms); },
                   [&](const act::ArmStopDeadline&) { deadline_.start(services_.config.arenas.stop_timeout_ms); },
                   [&](const act::DisarmDeadline&) { deadline_.stop(); },
                   [&](const act::AnnounceGone&) { announce_gone(); },
                   [&](const act::Persist&) { persist(); },
                   [&](const act::CheckpointLast&) { save_last(); },
               },
               action);
  }
  check_waiters();
}

void Arena::begin_incarnation(BeginWith with) {
  ++incarnation_serial_;
  delay_until_ns_ = 0;
  const bool needs_checkpoint = with == BeginWith::checkpoint || with == BeginWith::predecessor_checkpoint;
  if (!needs_checkpoint) {
    take_worker(with, std::nullopt);
    return;
  }
  auto found = std::make_shared<std::optional<std::string>>();
  services_.store.submit_query(
      [found, id = record_.id](Store& store) {
        auto checkpoints = store.checkpoints(id);
        if (checkpoints && !checkpoints->empty()) *found = std::move(checkpoints->front().bytes);
      },
      [self = std::weak_ptr(self_), found, with, serial = incarnation_serial_](const Result<void>&) {
        const auto alive = self.lock();
        if (!alive || (*alive)->incarnation_serial_ != serial) return;
        if (with == BeginWith::checkpoint && *found) {
          if (auto snapshot = Snapshot::parse(**found)) (*alive)->take_over_checkpoint(*snapshot);
        }
        (*alive)->take_worker(with, std::move(*found));
      });
}

void Arena::take_worker(BeginWith with, std::optional<std::string> checkpoint) {
  if (game_ == nullptr) {
    worker_unavailable(make_error(ErrorCode::invalid, "the configuration has no game " + record_.game));
    return;
  }
  game_->take([self = std::weak_ptr(self_), with, checkpoint = std::move(checkpoint),
               serial = incarnation_serial_](Result<Spare> spare) {
    const auto alive = self.lock();
    if (!alive || (*alive)->incarnation_serial_ != serial) return;  // not wanted any more: a spare ends when it is dropped
    if (!spare) {
      (*alive)->worker_unavailable(spare.error());
    } else {
      (*alive)->assign(std::move(*spare), with, checkpoint);
    }
  });
}

void Arena::worker_unavailable(const Error& error) {
  last_exit_ = record_.reason = error.text();
  start_failure_ = error.code;
  log_error("arena={} msg=\"no worker: {}\"", record_.name, error.text());
  services_.facts.post([self = std::weak_ptr(self_), serial = incarnation_serial_] {
    const auto alive = self.lock();
    if (!alive || (*alive)->incarnation_serial_ != serial) return;
    (*alive)->carry_out((*alive)->lifecycle_.no_worker(monotonic_ns(), random_u64()));
  });
}

void Arena::assign(Spare spare, BeginWith with, const std::optional<std::string>& checkpoint) {
  ++record_.epoch;
  announced_end_.reset();
  worker_ = std::move(spare.process);
  starting_ = std::move(spare.region);
  listen_to_worker();
  kept_.keep_incarnation({record_.epoch}, starting_->fd(), worker_->pidfd());

  std::vector<int> fds{board_.fd().get()};
  const bool has_predecessor = with == BeginWith::predecessor || with == BeginWith::predecessor_checkpoint;
  if (has_predecessor) fds.push_back(lived_->fd().get());
  Fd checkpoint_region;
  if (checkpoint) {
    if (auto region = region_of(*checkpoint)) {
      checkpoint_region = std::move(*region);
      fds.push_back(checkpoint_region.get());
    }
  }
  capnp::MallocMessageBuilder message;
  auto assign = message.initRoot<wire::ToWorker>().initAssign();
  assign.setArenaHigh(record_.id.high);
  assign.setArenaLow(record_.id.low);
  assign.setEpoch(record_.epoch);
  assign.setName(record_.name);
  assign.setReason(reason_for(with, lifecycle_.crashes()));
  assign.setHasPredecessor(has_predecessor);
  assign.setHasCheckpoint(static_cast<bool>(checkpoint_region));
  assign.setSnapshotIntervalMs(static_cast<uint32_t>(game_->config().snapshot_interval_ms));
  assign.setMaxEventBytes(static_cast<uint32_t>(services_.config.channels.max_event_bytes));
  assign.setAdoptionSocket(services_.config.daemon.workers_socket_path().string());
  assign.setOrphanTimeoutMs(static_cast<uint32_t>(services_.config.arenas.orphan_timeout_ms));
  auto params = assign.initParams(static_cast<uint>(record_.params.size()));
  for (uint i = 0; i < params.size(); ++i) {
    params[i].setKey(record_.params[i].first);
    params[i].setValue(record_.params[i].second);
  }
  auto channels = assign.initChannels(static_cast<uint>(channels_.all().size()));
  uint next = 0;
  for (const auto& [id, channel] : channels_.all()) {
    auto to = channels[next++];
    to.setId(id);
    to.setSlot(channel.slot);
    to.setPlayer(channel.player);
    to.setGone(channel.gone_reason.has_value());
    to.setGoneReason(channel.gone_reason.value_or(0));
    fds.push_back(channel.region.get());
  }
  worker_->send(message, fds);
}

void Arena::take_message(const LinkMessage& message) {
  std::optional<MessageView> view;
  const auto root = message.root<wire::FromWorker>(view);
  switch (root.which()) {
    case wire::FromWorker::READY:
    case wire::FromWorker::NO_MEMORY:
    case wire::FromWorker::OFFER:
      break;
    case wire::FromWorker::LIVE:
      max_players_ = root.getLive().getMaxPlayers();
      worker_live();
      break;
    case wire::FromWorker::REFUSED:
      announced_end_ = end_of(root.getRefused().getCode());
      start_failure_ = announced_end_ == WorkerEnd::refused_system ? ErrorCode::exhausted : ErrorCode::refused;
      record_.reason = root.getRefused().getMessage();
      break;
    case wire::FromWorker::FINISHED:
      announced_end_ = WorkerEnd::finished;
      break;
    case wire::FromWorker::ENDED:
      announced_end_ = WorkerEnd::ended;
      break;
    case wire::FromWorker::RELEASED:
      channels_.forget({root.getReleased()});
      kept_.forget_channel({root.getReleased()});
      break;
    case wire::FromWorker::CLOSED:
      expel({root.getClosed()});
      break;
    case wire::FromWorker::RESULTS:
      save_results();
      break;
  }
}

void Arena::worker_live() {
  if (!starting_ || starting_->stage() == Stage::blank) return;
  if (lived_) {
    ++recoveries_;
    const WorkerStatus& s = starting_->status();
    log_info("arena={} epoch={} pid={} msg=\"recovered in {:.2f} ms: frame {} from the {}, {} frames and {} events run again\"",
             record_.name, record_.epoch, worker_->pid(), static_cast<double>(monotonic_ns() - died_ns_) / 1e6,
             s.restored_frame.load(), rung_name(s.rung.load()), s.replayed_frames.load(), s.replayed_events.load());
  }
  if (lived_) kept_.forget_incarnation(lived_->epoch());
  lived_ = std::move(starting_);
  starting_.reset();
  save_results();
  record_.reason.clear();
  announce_incarnation();
  carry_out(lifecycle_.worker_live(monotonic_ns()));
}

void Arena::worker_ended(Exit exit) {
  died_ns_ = monotonic_ns();
  // How an adopted worker ended nobody tells: it is not our child.
  const bool in_order = exit.how != Exit::How::signalled && announced_end_.has_value();
  const WorkerEnd end = in_order ? *announced_end_ : WorkerEnd::crashed;
  if (end == WorkerEnd::crashed || record_.reason.empty()) last_exit_ = exit.text();
  if (end == WorkerEnd::crashed) {
    ++record_.restarts;
    log_warning("arena={} epoch={} pid={} frame={} msg=\"its worker died: {}\"", record_.name, record_.epoch, worker_->pid(),
                lived_ ? lived_->status().frame_decided.load() : 0, exit.text());
    if (record_.reason.empty()) record_.reason = "its worker died: " + exit.text();
  }
  worker_.reset();
  if (starting_) {
    kept_.forget_incarnation({record_.epoch});
  } else {
    kept_.forget_process({record_.epoch});
  }
  starting_.reset();
  save_results();  // a successor's ring begins behind them
  if (shutting_down_) {
    if (end == WorkerEnd::finished) record_.disposition = ArenaDisposition::saved;
    save_last();
    check_waiters();
    return;
  }
  carry_out(lifecycle_.worker_ended(end, died_ns_, random_u64()));
}

void Arena::tell_worker(const std::function<void(wire::ToWorker::Builder)>& fill, std::span<const int> fds) {
  if (!worker_) return;
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<wire::ToWorker>());
  worker_->send(message, fds);
  board_.ring();
}

void Arena::announce_incarnation() {
  for (const ArenaAttachment& a : attachments_)
    services_.clients.incarnation(a.connection, a.attachment, {record_.epoch}, lived_->fd());
  board_.ring();
}

void Arena::announce_gone() {
  if (state() == ArenaState::failed) {
    log_error(
        "arena={} msg=\"it has failed and is stopped, its state is kept: {}. Once the cause is mended: arenactl restart {}\"",
        record_.name, record_.reason, record_.name);
  }
  if (state() == ArenaState::lost) log_error("arena={} msg=\"it is lost: {}\"", record_.name, record_.reason);
  for (const ArenaAttachment& a : attachments_)
    services_.clients.gone(a.connection, a.attachment, to_string(state()), record_.reason);
  // If the arena is restarted, its players have left it and may come back.
  for (const ArenaAttachment& a : attachments_) channels_.leave(a.channel, ARENAD_DROPPED);
  attachments_.clear();
  board_.ring();
}

void Arena::expel(ChannelId channel) {
  channels_.leave(channel, ARENAD_EXPELLED);
  const auto found =
      std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& a) { return a.channel == channel; });
  if (found == attachments_.end()) return;
  log_warning("arena={} msg=\"a client was expelled: its channel holds something that is not a record\"", record_.name);
  services_.clients.gone(found->connection, found->attachment, "expelled", "the channel holds something that is not a record");
  attachments_.erase(found);
  board_.ring();
}

Answer Arena::stop() {
  drain_deadline_.stop();
  Answer answer = lifecycle_.stop();
  if (answer.verdict == Verdict::accepted) record_.reason = "stopped by an operator";
  carry_out(answer.actions);
  return answer;
}

BeginWith Arena::restart_source() const {
  if (lived_) return BeginWith::predecessor;
  return durable_.value != 0 || submitted_ ? BeginWith::checkpoint : BeginWith::nothing;
}

Answer Arena::restart() {
  Answer answer = lifecycle_.restart(monotonic_ns(), restart_source());
  carry_out(answer.actions);
  return answer;
}

void Arena::drain(uint64_t deadline_ms) {
  if (!is_active()) return;
  draining_ = true;
  const uint64_t deadline_unix_ns = unix_ns() + deadline_ms * kMillisecond;
  tell_worker([&](wire::ToWorker::Builder message) { message.setDrain(deadline_unix_ns); });
  drain_deadline_.start(deadline_ms);
}

void Arena::shut_down() {
  shutting_down_ = true;
  ++incarnation_serial_;  // no new worker is wanted
  delay_.stop();
  drain_deadline_.stop();
  deadline_.stop();
  tell_worker([](wire::ToWorker::Builder message) { message.setFinish(); });
  if (!worker_) save_last();
}

void Arena::kill_worker() {
  if (worker_) worker_->kill(SIGKILL);
}

Result<Arena::Attached> Arena::attach(uint64_t connection, uint32_t attachment, ChannelRoster::Kind kind,
                                      const std::string& player, Fd region) {
  if (!is_active() || shutting_down_) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state()));
  }
  auto seat = channels_.find_place(kind, player, max_players_);
  if (!seat) return seat.error();
  if (draining_ && kind == ChannelRoster::Kind::player) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is draining");
  }
  // Before the worker hears of it: whatever the join brings lies behind this.
  const uint64_t outputs_from =
      lived_ ? lived_->status().outputs_published.load(std::memory_order_acquire) : outputs_resumed_from_;
  const RosterChannel& channel = channels_.add(*seat, player, std::move(region));
  kept_.keep_channel(channel);
  attachments_.push_back({connection, attachment, channel.id});
  const int fd = channel.region.get();
  tell_worker(
      [&](wire::ToWorker::Builder message) {
        auto join = message.initJoin();
        join.setId(channel.id.value);
        join.setSlot(channel.slot);
        join.setPlayer(channel.player);
      },
      {&fd, 1});
  const bool live = lived_ && worker_ && !starting_;
  return Attached{channel.slot, channel.id, outputs_from, &board_.fd(), live ? &*lived_ : nullptr};
}

Result<Arena::Attached> Arena::reattach(uint64_t connection, uint32_t attachment, ChannelId id, const std::string& player,
                                        const Fd& region) {
  if (!is_active() || shutting_down_) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state()));
  }
  const RosterChannel* channel = channels_.find(id);
  if (channel == nullptr || channel->gone_reason || channel->player != player || !is_same_file(channel->region, region)) {
    return make_error(ErrorCode::refused, "player " + player + " has lost the place in arena " + record_.name);
  }
  std::erase_if(attachments_, [&](const ArenaAttachment& a) { return a.channel == id; });
  attachments_.push_back({connection, attachment, id});
  const bool live = lived_ && worker_ && !starting_;
  return Attached{channel->slot, channel->id, 0, &board_.fd(), live ? &*lived_ : nullptr};
}

void Arena::detach(uint32_t attachment, uint32_t reason) {
  const auto found =
      std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& a) { return a.attachment == attachment; });
  if (found == attachments_.end()) return;
  const ChannelId channel = found->channel;
  attachments_.erase(found);
  channels_.leave(channel, reason);
  tell_worker([&](wire::ToWorker::Builder message) {
    auto leave = message.initLeave();
    leave.setId(channel.value);
    leave.setReason(reason);
  });
}

std::optional<CheckpointRecord> Arena::next_checkpoint() {
  if (!lived_) return std::nullopt;
  std::optional<FrameNumber> newest;
  int newest_slot = 0;
  for (int slot = 0; slot < 2; ++slot) {
    const auto frame = published_frame(lived_->slot(slot));
    if (frame && (!newest || *frame > *newest)) {
      newest = frame;
      newest_slot = slot;
    }
  }
  if (!newest || (submitted_ && *newest <= *submitted_)) return std::nullopt;
  auto snapshot = Snapshot::read_slot(lived_->slot(newest_slot));
  // One that is being overwritten is taken the next time; anything else that is wrong with it the recovery ladder tells.
  if (!snapshot || snapshot->facts().arena != record_.id) return std::nullopt;
  submitted_ = snapshot->facts().frame;
  if (unsaved_since_ns_ == 0) unsaved_since_ns_ = monotonic_ns();
  CheckpointRecord record;
  record.arena = record_.id;
  record.epoch = snapshot->facts().epoch;
  record.frame = snapshot->facts().frame;
  record.taken_unix_ms = static_cast<int64_t>(unix_ms());
  record.bytes = snapshot->bytes();
  return record;
}

std::vector<ResultRecord> Arena::next_results() {
  std::vector<ResultRecord> found;
  if (!lived_) return found;
  const StreamView stream = system_of(*lived_);
  for (;;) {
    switch (results_.next(stream)) {
      case OutboxReader::Step::record: {
        const RecordHeader& header = results_.header();
        found.push_back({record_.id, header.sequence, static_cast<uint32_t>(header.party), header.type,
                         std::string(static_cast<const char*>(results_.words()), results_.word_count() * 8),
                         static_cast<int64_t>(unix_ms())});
        continue;
      }
      case OutboxReader::Step::lagged:
        if (results_.position() >= stream.begin.load()) return found;
        results_.skip_to(stream.begin.load());
        continue;
      case OutboxReader::Step::end:
      case OutboxReader::Step::ahead:
      case OutboxReader::Step::corrupt:
        return found;
    }
  }
}

void Arena::checkpoint_committed(FrameNumber frame) {
  if (frame > durable_) durable_ = frame;
  board_.set_durable_frame(durable_.value);
  if (submitted_ && durable_ >= *submitted_) unsaved_since_ns_ = 0;
}

void Arena::save_results() {
  StoreBatch batch;
  batch.results = next_results();
  if (batch.results.empty()) return;
  const uint64_t sequence = batch.results.back().sequence;
  submit(std::move(batch), [this, sequence] {
    board_.set_results_committed(sequence);
    board_.ring();
  });
}

void Arena::persist() {
  record_.disposition = disposition_of(state());
  record_.changed_unix_ms = static_cast<int64_t>(unix_ms());
  StoreBatch batch;
  batch.arenas.push_back(record_);
  submit(std::move(batch), [] {});
}

// The worker has ended. When its last state is in the database, an arena that is put down needs no memory any more.
void Arena::save_last() {
  StoreBatch batch;
  if (auto checkpoint = next_checkpoint()) batch.checkpoints.push_back(std::move(*checkpoint));
  // In the same transaction as the checkpoint that makes it true.
  if (record_.disposition == ArenaDisposition::saved) batch.arenas.push_back(record_);
  const FrameNumber frame = batch.checkpoints.empty() ? durable_ : batch.checkpoints.front().frame;
  // Also with nothing to write: it completes with all that was submitted before it.
  submit(std::move(batch), [this, frame] {
    checkpoint_committed(frame);
    if (state() != ArenaState::stopped && state() != ArenaState::ended) return;
    lived_.reset();
    channels_.clear();
    kept_.forget_all();
  });
}

void Arena::submit(StoreBatch batch, std::function<void()> committed) {
  ++pending_saves_;
  services_.store.submit(std::move(batch),
                         [self = std::weak_ptr(self_), committed = std::move(committed)](const Result<void>& result) {
                           const auto alive = self.lock();
                           if (!alive) return;
                           --(*alive)->pending_saves_;
                           if (result) committed();
                           (*alive)->check_waiters();
                         });
}

void Arena::when(std::function<bool(const Arena&)> settled, std::function<void()> then) {
  if (settled(*this)) {
    then();
    return;
  }
  waiters_.push_back({std::move(settled), std::move(then)});
}

void Arena::check_waiters() {
  auto waiters = std::move(waiters_);
  waiters_.clear();
  for (Waiter& waiter : waiters) {
    if (waiter.settled(*this)) {
      ++answering_;
      services_.facts.post([self = std::weak_ptr(self_), then = std::move(waiter.then)] {
        then();
        if (const auto alive = self.lock()) --(*alive)->answering_;
      });
    } else {
      waiters_.push_back(std::move(waiter));
    }
  }
}

}  // namespace arenad
