#include "supervisor/arena.h"

#include <algorithm>
#include <fmt/format.h>
#include <signal.h>

#include "arenad/module_abi.h"
#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "ipc/printable.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

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
    case wire::RefusedCode::DIVERGED:
      return WorkerEnd::refused_divergence;
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
    case BeginWith::origin:
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

Error unreadable_checkpoints(const Error& error) {
  return make_error(error.code, "its checkpoints cannot be read: " + error.text());
}

// From abort to kill.
constexpr uint64_t kAbortGraceMs = 500;

// What a worker has to become in these states.
const char* goal_of(ArenaState state) {
  return state == ArenaState::stopping || state == ArenaState::restarting ? "stopped" : "ready";
}

// Once (ipc/mutant.h).
void kill_neighbours_by_mistake() {
  static bool is_done = false;
  if (!ARENAD_MUTANT("death.neighbours_killed") || std::exchange(is_done, true)) return;
  for (const pid_t pid : children_of_self()) ::kill(pid, SIGKILL);
}

// A region that holds a checkpoint, for a worker to read.
Result<Fd> region_of(const std::string& bytes) {
  auto region = Region::create("arenad-checkpoint", bytes.size());
  if (!region) return region.error();
  std::memcpy(region->data(), bytes.data(), bytes.size());
  if (auto sealed = region->seal(); !sealed) return sealed.error();
  return region->fd().duplicate();
}

}  // namespace

Arena::Arena(ArenaServices services, ArenaRecord record, Board board, GameVersions* versions)
    : services_(services),
      record_(std::move(record)),
      versions_(versions),
      game_(version_of(CodeHash::parse(record_.code).value_or(CodeHash{}))),
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
                    if (const auto alive = self.lock()) (*alive)->carry_out((*alive)->lifecycle_.overdue());
                  });
                }),
      kill_deadline_(services.loop,
                     [this] {
                       services_.facts.post([self = std::weak_ptr(self_)] {
                         if (const auto alive = self.lock()) (*alive)->kill_worker();
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

Result<std::unique_ptr<Arena>> Arena::create(ArenaServices services, ArenaRecord record, GameVersions* versions) {
  auto board = Board::create();
  if (!board) return board.error();
  return std::unique_ptr<Arena>(new Arena(services, std::move(record), std::move(*board), versions));
}

// What is not kept any more is replaced by what new arenas get.
GameTemplate* Arena::version_of(CodeHash code) {
  if (versions_ == nullptr) return nullptr;
  if (GameTemplate* found = versions_->find(code)) return found;
  if (!code.is_null()) {
    log_warning("arena={} msg=\"its version {} is not kept any more: it goes on with the current one\"", record_.name,
                code.text());
  }
  return &versions_->current();
}

std::string Arena::schema_of_state() const {
  const GameTemplate* its = lived_ && versions_ != nullptr ? versions_->find(lived_->code()) : nullptr;
  if (its == nullptr) its = game_;
  return its == nullptr ? std::string() : its->facts().schema;
}

void Arena::set_game(GameVersions* versions) {
  ARENAD_ASSERT(versions != nullptr || (!is_active() && !has_worker()));
  versions_ = versions;
  game_ = version_of(CodeHash::parse(record_.code).value_or(CodeHash{}));
}

void Arena::begin_new() {
  persist();
  tell(LifecycleEvent::started);
  ARENAD_CRASH_POINT("arenad.start.begun");
  carry_out(lifecycle_.begin(BeginWith::nothing));
}

void Arena::listen_to_worker() {
  worker_->listen({[this](const LinkMessage& message) { take_message(message); }, [this](Exit exit) { worker_ended(exit); },
                   [this] { end_offender("it has sent arenad what is no message"); }});
}

void Arena::carry_out(const ArenaActions& actions) {
  for (const ArenaAction& action : actions) {
    std::visit(Overloaded{
                   [&](const act::BeginIncarnation& a) { begin_incarnation(a.with); },
                   [&](const act::KillWorker&) {
                     // The next one, which may come at any moment, is not to blame for its being late.
                     if (!worker_) return;
                     end_worker(std::string("not ") + goal_of(state()) + " within its time");
                     kill_deadline_.start(kAbortGraceMs);
                   },
                   [&](const act::TellFinish&) { tell_worker([](wire::ToWorker::Builder m) { m.setFinish(); }); },
                   [&](const act::StartDelay& a) {
                     delay_until_ns_ = monotonic_ns() + a.delay_ns;
                     delay_.start(a.delay_ns / kMillisecond + 1);
                     persist();
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
  if (!is_active()) {
    unrecovered_.reset();
    refuse_retries();
    refuse_signals();
  }
  if (handover_ && !is_active()) end_handover(HandoverNews::gone, to_string(state()));
  check_waiters();
}

std::string Arena::version() const {
  return lived_ ? printable(lived_->version()) : game_->facts().version;
}

void Arena::begin_incarnation(BeginWith with) {
  ++incarnation_serial_;
  delay_until_ns_ = 0;
  const bool needs_checkpoint = with == BeginWith::checkpoint || with == BeginWith::predecessor_checkpoint;
  if (!needs_checkpoint) {
    take_worker(with, std::nullopt);
    return;
  }
  struct Found {
    std::optional<std::string> checkpoint;
    std::vector<QuarantineRecord> quarantined;
  };
  auto found = std::make_shared<Found>();
  services_.store.submit_reading(
      [found, id = record_.id, name = record_.name, is_unread = checkpoints_unread_](Store& store) -> Result<void> {
        const uint64_t skipped_before = store.skipped_rows();
        auto checkpoints = store.checkpoints(id);
        if (!checkpoints) return checkpoints.error();
        if (store.skipped_rows() != skipped_before)
          log_warning(
              "arena={} msg=\"not all of its checkpoints can be read: what came after the newest readable one is lost\"", name);
        if (!checkpoints->empty()) found->checkpoint = std::move(checkpoints->front().bytes);
        if (!is_unread) return {};
        auto quarantined = store.quarantined(id);
        if (!quarantined) return quarantined.error();
        found->quarantined = std::move(*quarantined);
        return {};
      },
      [self = std::weak_ptr(self_), found, with, serial = incarnation_serial_](const Result<void>& read) {
        const auto alive = self.lock();
        if (!alive || (*alive)->incarnation_serial_ != serial) return;
        if (!read) return (*alive)->worker_unavailable(unreadable_checkpoints(read.error()));
        (*alive)->restore_quarantine(found->quarantined);
        (*alive)->begin_with_checkpoint(with, std::move(found->checkpoint));
      });
}

void Arena::begin_with_checkpoint(BeginWith with, std::optional<std::string> checkpoint) {
  // Its time begins here: the disk may have taken long.
  deadline_.start(services_.config.arenas.ready_timeout_ms);
  const bool was_unread = std::exchange(checkpoints_unread_, false);
  if (with == BeginWith::checkpoint && checkpoint) {
    if (auto snapshot = Snapshot::parse(*checkpoint)) {
      if (auto taken = take_over_checkpoint(*snapshot); !taken) return worker_unavailable(taken.error());
    }
  } else if (with == BeginWith::checkpoint && was_unread) {
    log_warning("arena={} msg=\"the database can be read again, and has no checkpoint of it: the arena begins anew\"",
                record_.name);
    with = BeginWith::nothing;
  }
  take_worker(with, std::move(checkpoint));
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
    // The new code has no worker: the old code goes on.
    const bool was_to_take_over = (*alive)->handover_ && (*alive)->handover_->progress.step() == Handover::Step::loading;
    if (was_to_take_over && (*alive)->handover_worker_ended(WorkerEnd::crashed)) return;
    (*alive)->carry_out((*alive)->lifecycle_.no_worker(monotonic_ns(), random_u64()));
  });
}

void Arena::assign(Spare spare, BeginWith with, const std::optional<std::string>& checkpoint) {
  Fd checkpoint_region;
  if (checkpoint) {
    auto region = region_of(*checkpoint);
    // Without it the worker would find nothing to begin with. The spare ends here.
    if (!region) return worker_unavailable(region.error());
    checkpoint_region = std::move(*region);
  }
  if (record_.epoch == 0 || !ARENAD_MUTANT("death.epoch_reused")) ++record_.epoch;
  announced_end_.reset();
  worker_ = std::move(spare.process);
  starting_ = std::move(spare.region);
  begin_watching();
  listen_to_worker();
  ARENAD_CRASH_POINT("arenad.spare.taken");
  kept_.keep_incarnation({record_.epoch}, starting_->fd(), worker_->pidfd());

  std::vector<int> fds{board_.fd().get()};
  const bool has_predecessor = with != BeginWith::nothing && with != BeginWith::checkpoint;
  if (has_predecessor) fds.push_back(lived_->fd().get());
  const bool takes_back = with == BeginWith::origin;
  if (takes_back) fds.push_back(handover_->origin->fd().get());
  const bool takes_over = handover_ && handover_->progress.step() == Handover::Step::loading;
  if (checkpoint_region) fds.push_back(checkpoint_region.get());
  capnp::MallocMessageBuilder message;
  auto assign = message.initRoot<wire::ToWorker>().initAssign();
  assign.setArenaHigh(record_.id.high);
  assign.setArenaLow(record_.id.low);
  assign.setEpoch(record_.epoch);
  assign.setName(record_.name);
  assign.setWay(takes_back ? wire::Way::TAKE_BACK : takes_over ? wire::Way::HANDOVER : wire::Way::RECOVERY);
  assign.setCodeHigh(game_->hash().high);
  assign.setCodeLow(game_->hash().low);
  assign.setRestarts(static_cast<uint32_t>(std::min<uint64_t>(record_.restarts, UINT32_MAX)));
  assign.setReason(reason_for(with, lifecycle_.crashes()));
  assign.setHasPredecessor(has_predecessor);
  assign.setHasCheckpoint(static_cast<bool>(checkpoint_region));
  assign.setSnapshotIntervalMs(static_cast<uint32_t>(game_->config().snapshot_interval_ms));
  assign.setMaxEventBytes(static_cast<uint32_t>(services_.config.channels.max_event_bytes));
  assign.setAdoptionSocket(services_.config.daemon.workers_socket_path().string());
  assign.setOrphanTimeoutMs(static_cast<uint32_t>(services_.config.arenas.orphan_timeout_ms));
  assign.setSlowFrameMs(static_cast<uint32_t>(game_->config().soft_limit_ms));
  assign.setOnDivergence(game_->config().on_divergence == OnDivergence::stop ? wire::OnDivergence::STOP
                                                                             : wire::OnDivergence::GO_ON);
  const std::vector<LeftOutEvent> left_out = quarantine_.left_out();
  auto quarantined = assign.initQuarantined(static_cast<uint>(left_out.size()));
  for (uint i = 0; i < quarantined.size(); ++i) {
    quarantined[i].setChannel(left_out[i].event.channel.value);
    quarantined[i].setSequence(left_out[i].event.sequence);
    quarantined[i].setEntry(left_out[i].entry);
  }
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
  ARENAD_CRASH_POINT("arenad.assign.before");
  assigned_ns_ = monotonic_ns();  // before the worker can have done anything with it
  worker_->send(message, fds);
  ARENAD_CRASH_POINT("arenad.assign.after");
}

void Arena::end_offender(std::string why) {
  end_worker(std::move(why));
  kill_deadline_.start(kAbortGraceMs);
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
      // That it has left was told by a worker that died meanwhile.
      part_with({root.getReleased()}, ARENAD_DROPPED, "dropped", "the place in the arena is lost");
      channels_.forget({root.getReleased()});
      kept_.forget_channel({root.getReleased()});
      break;
    case wire::FromWorker::CLOSED:
      expel({root.getClosed()});
      break;
    case wire::FromWorker::RESULTS:
      save_results();
      break;
    case wire::FromWorker::RETRIED: {
      const auto told = root.getRetried();
      retried(told.getId(), told.isApplied() ? std::string() : std::string(told.getNotApplied()));
      break;
    }
    case wire::FromWorker::KICKED:
      kick(root.getKicked());
      break;
    case wire::FromWorker::SIGNALLED:
      signalled(root.getSignalled());
      break;
  }
}

// What it runs frames from, and whether that is after a death.
void Arena::tell_live(const RecoveryTimes& times) {
  const WorkerStatus& s = starting_->status();
  LifecycleLog::Details details;
  const auto add_ms = [&](const char* name, uint64_t ns) {
    details.emplace_back(name, fmt::format("{:.2f}", static_cast<double>(ns) / 1e6));
  };
  if (lived_) add_ms("ms", times.total_ns);
  if (lived_) add_ms("start_ms", times.start_ns);
  if (lived_ && times.parts) {
    add_ms("load_ms", times.parts->load_ns);
    add_ms("replay_ms", times.parts->replay_ns);
  }
  details.insert(details.end(), {{"rung", rung_name(s.rung.load())},
                                 {"from_frame", std::to_string(s.restored_frame.load())},
                                 {"replayed_frames", std::to_string(s.replayed_frames.load())},
                                 {"replayed_events", std::to_string(s.replayed_events.load())},
                                 {"pid", std::to_string(worker_->pid())}});
  tell(std::exchange(has_died_, false) ? LifecycleEvent::recovered : LifecycleEvent::ready, std::move(details));
}

void Arena::tell(LifecycleEvent event, LifecycleLog::Details details) {
  const IncarnationView* region = starting_ ? &*starting_ : lived();
  services_.events.add(event, {.number = 0,
                               .at_unix_ms = 0,
                               .type = {},
                               .arena = record_.id.text(),
                               .name = record_.name,
                               .game = record_.game,
                               .epoch = record_.epoch,
                               .frame = region != nullptr ? region->status().frame_decided.load() : 0,
                               .details = std::move(details)});
}

void Arena::worker_live() {
  if (!starting_ || starting_->stage() == Stage::blank) return;
  ARENAD_CRASH_POINT("arenad.live.before");
  const RecoveryTimes times = recovery_times();
  tell_live(times);
  note_recovery(times);
  count();
  if (lived_) {
    ++recoveries_;
    const WorkerStatus& s = starting_->status();
    log_info("arena={} epoch={} pid={} msg=\"recovered in {:.2f} ms: frame {} from the {}, {} frames and {} events run again\"",
             record_.name, record_.epoch, worker_->pid(), static_cast<double>(times.total_ns) / 1e6, s.restored_frame.load(),
             rung_name(s.rung.load()), s.replayed_frames.load(), s.replayed_events.load());
  }
  if (lived_) {
    if (handover_ && handover_->progress.step() == Handover::Step::loading) {
      keep_origin(std::move(*lived_));
    } else {
      kept_.forget_incarnation(lived_->epoch());
      if (ARENAD_MUTANT("death.region_left_open")) new IncarnationView(std::move(*lived_));
    }
  }
  const Began began = lived_ ? Began::after_another : Began::first;
  lived_ = std::move(starting_);
  starting_.reset();
  count_live(began, times);
  save_results();
  record_.code = game_->hash().is_null() ? "" : game_->hash().text();
  record_.reason.clear();
  announce_incarnation();
  carry_out(lifecycle_.worker_live(monotonic_ns()));
  send_waiting_retries();
  send_waiting_signals();
  handover_worker_live();
  if (draining_ && state() == ArenaState::running) tell_drain();
  if (recovers_to_finish_) tell_worker([](wire::ToWorker::Builder message) { message.setFinish(); });
  ARENAD_CRASH_POINT("arenad.live.after");
}

void Arena::count() const {
  if (lived_) services_.metrics.observe(record_.id, record_.game, lived_->epoch(), read_tallies(lived_->status()));
}

// An incarnation is live that has taken the place of another one, or is the first that this arenad knows of.
void Arena::count_live(Began began, const RecoveryTimes& times) {
  const WorkerStatus& s = lived_->status();
  const uint32_t told = s.rung.load();
  const Rung rung = told <= static_cast<uint32_t>(Rung::checkpoint) ? static_cast<Rung>(told) : Rung::none;
  using Past = MetricsLedger::Past;
  services_.metrics.begun(record_.id, record_.game, lived_->epoch(), read_tallies(s),
                          rung == Rung::init ? Past::none : Past::earlier_incarnations);
  if (began == Began::after_another)
    services_.metrics.recovered(record_.id, record_.game, rung, died_ns_ == 0 ? std::nullopt : std::optional(times));
}

void Arena::worker_ended(Exit exit) {
  ARENAD_CRASH_POINT("arenad.death.before");
  count();
  died_ns_ = monotonic_ns();
  log_last_output(died_ns_);
  // How an adopted worker ended nobody tells: it is not our child.
  const bool in_order = exit.how != Exit::How::signalled && announced_end_.has_value();
  const WorkerEnd end = in_order ? *announced_end_ : WorkerEnd::crashed;
  const bool hands_over = end == WorkerEnd::finished && handover_ && state() == ArenaState::restarting;
  if (record_.reason.empty() && !hands_over && !ARENAD_MUTANT("death.exit_not_told")) last_exit_ = exit.text();
  Charge charge = Charge::budget;
  if (end == WorkerEnd::crashed) {
    kill_neighbours_by_mistake();
    ++record_.restarts;
    if (const IncarnationView* region = starting_ ? &*starting_ : lived()) charge = note_death(*region, exit);
    if (record_.reason.empty()) record_.reason = "its worker died: " + last_exit_;
  }
  worker_.reset();
  kill_deadline_.stop();
  if (starting_) {
    kept_.forget_incarnation({record_.epoch});
  } else {
    kept_.forget_process({record_.epoch});
  }
  starting_.reset();
  save_results();  // a successor's ring begins behind them
  const bool has_finished = end == WorkerEnd::finished || end == WorkerEnd::ended;
  recovers_to_finish_ = shutting_down_ && !has_finished && has_more_than_saved();
  if (recovers_to_finish_) {
    carry_out(lifecycle_.worker_ended(end, died_ns_, random_u64(), charge));
    return;
  }
  if (shutting_down_) {
    if (end == WorkerEnd::finished) record_.disposition = ArenaDisposition::saved;
    refuse_signals();
    save_last();
    check_waiters();
    return;
  }
  if (!handover_worker_ended(end)) carry_out(lifecycle_.worker_ended(end, died_ns_, random_u64(), charge));
  ARENAD_CRASH_POINT("arenad.death.after");
}

void Arena::begin_watching() {
  hang_.reset();
  cpu_.reset();
  slow_seen_ = 0;
  slow_asked_ = false;
  ended_by_arenad_.clear();
  assigned_ns_ = struck_ns_ = 0;
}

void Arena::tell_worker(const std::function<void(wire::ToWorker::Builder)>& fill, std::span<const int> fds) {
  if (!worker_) return;
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<wire::ToWorker>());
  worker_->send(message, fds);
  board_.ring();
}

Answer Arena::stop() {
  drain_deadline_.stop();
  drain_until_ns_ = 0;
  Answer answer = lifecycle_.stop();
  if (answer.verdict == Verdict::accepted) record_.reason = "stopped by an operator";
  carry_out(answer.actions);
  ARENAD_CRASH_POINT("arenad.stop.told");
  return answer;
}

BeginWith Arena::restart_source() const {
  if (lived_) return BeginWith::predecessor;
  // Not from nothing if there was something: a state is never made up.
  const bool may_have_some = durable_.value != 0 || submitted_ || checkpoints_damaged_ || checkpoints_unread_;
  return may_have_some ? BeginWith::checkpoint : BeginWith::nothing;
}

// An arena has one thing done to it at a time, and stop takes the place of any other.
std::string Arena::under_way() const {
  const std::string& name = record_.name;
  const std::string or_stop = ", or stop it now (arenactl stop " + name + ")";
  const std::string ask_again = ": ask again when it runs (arenactl status " + name + ")";
  if (shutting_down_) return "arenad is shutting down: ask again when it has been started again";
  if (!is_active()) return std::string("it is ") + to_string(state());
  if (state() == ArenaState::stopping) return "it is being stopped: ask again when it has stopped";
  if (handover_ && handover_->progress.step() == Handover::Step::probation) {
    return "its code was changed, and it is on probation: ask again when that is over (arenactl status " + name + ")" + or_stop;
  }
  if (handover_) return "its code is being changed: ask again when that is over (arenactl status " + name + ")" + or_stop;
  if (draining_) return "it is draining: take that back first (arenactl undrain " + name + ")" + or_stop;
  switch (state()) {
    case ArenaState::starting:
      return "it is starting" + ask_again + or_stop;
    case ArenaState::recovering:
    case ArenaState::backing_off:
      return "it is being recovered after a death" + ask_again + or_stop;
    case ArenaState::restarting:
      return "it is being restarted" + ask_again + or_stop;
    case ArenaState::running:
    case ArenaState::stopping:
    case ArenaState::stopped:
    case ArenaState::ended:
    case ArenaState::failed:
    case ArenaState::lost:
      break;
  }
  return std::string("it is ") + to_string(state());
}

Result<void> Arena::may_restart() const {
  const bool rests = state() == ArenaState::stopped || state() == ArenaState::failed;
  const bool may_join =
      state() == ArenaState::running || state() == ArenaState::backing_off || state() == ArenaState::restarting;
  if (shutting_down_ || (!rests && (!may_join || handover_ || draining_))) return make_error(ErrorCode::refused, under_way());
  return {};
}

Answer Arena::restart() {
  if (!is_active()) {
    // What was drained is over, and its players may come back.
    draining_ = false;
    drain_until_ns_ = 0;
    drain_deadline_.stop();
  }
  Answer answer = lifecycle_.restart(monotonic_ns(), restart_source());
  carry_out(answer.actions);
  return answer;
}

void Arena::drain(uint64_t deadline_ms) {
  if (!is_active()) return;
  draining_ = true;
  tell(LifecycleEvent::draining, {{"deadline_ms", std::to_string(deadline_ms)}});
  drain_until_ns_ = monotonic_ns() + deadline_ms * kMillisecond;
  drain_deadline_.start(deadline_ms);
  tell_drain();
}

// Once more to each worker: there may have been none when it was asked for, or one that died before its next frame.
void Arena::tell_drain() {
  const uint64_t now_ns = monotonic_ns();
  const uint64_t left_ns = drain_until_ns_ > now_ns ? drain_until_ns_ - now_ns : 0;
  tell_worker([&](wire::ToWorker::Builder message) { message.setDrain(unix_ns() + left_ns); });
}

bool Arena::undrain() {
  if (!draining_) return false;
  draining_ = false;
  tell(LifecycleEvent::undrained);
  drain_until_ns_ = 0;
  drain_deadline_.stop();
  check_waiters();
  return true;
}

bool Arena::forget_crashes() {
  return lifecycle_.forget_crashes();
}

Result<void> Arena::signal_worker(int number) {
  if (!worker_) return make_error(ErrorCode::refused, std::string("it has no worker: it is ") + to_string(state()));
  note_struck();
  worker_->kill(number);
  return {};
}

void Arena::ask_for_snapshot() {
  tell_worker([](wire::ToWorker::Builder message) { message.setSnapshot(); });
}

void Arena::shut_down() {
  shutting_down_ = true;
  drain_deadline_.stop();
  delay_.stop();
  recovers_to_finish_ = !worker_ && has_more_than_saved();
  if (recovers_to_finish_) {
    carry_out(lifecycle_.delay_over());  // if it waits; else a worker is on its way
    return;
  }
  ++incarnation_serial_;  // no new worker is wanted
  deadline_.stop();
  tell_worker([](wire::ToWorker::Builder message) { message.setFinish(); });
  if (!worker_) save_last();
}

void Arena::shut_down_as_it_is() {
  is_shut_down_as_it_is_ = true;
  ++incarnation_serial_;
  delay_.stop();
  deadline_.stop();
  kill_worker();
  if (!std::exchange(recovers_to_finish_, false) || worker_) return;
  save_last();
  check_waiters();
}

// Of one whose code is being changed, or that has failed, its last snapshot is what there is.
bool Arena::has_more_than_saved() const {
  return lived_ && is_active() && !handover_ && !is_shut_down_as_it_is_;
}

void Arena::kill_worker() {
  note_struck();
  if (worker_) worker_->kill(SIGKILL);
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
