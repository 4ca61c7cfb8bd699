#include "worker/worker_role.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <functional>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/futex.h"
#include "ipc/link.capnp.h"
#include "ipc/mutant.h"
#include "ipc/output_file.h"
#include "ipc/process.h"
#include "ipc/text.h"
#include "worker/assignment.h"
#include "worker/black_box.h"
#include "worker/log.h"
#include "worker/orphan.h"
#include "worker/recorder.h"
#include "worker/tick_schedule.h"

namespace arenad {
namespace {

constexpr uint64_t kLinkCheckNs = kSecond;
constexpr uint64_t kIdleWithoutTicksNs = kMillisecond;  // nobody knows when the next event comes
constexpr int kExitRefused = 3;
constexpr int kExitNoMemoryForPlayer = 4;
constexpr int kExitAbandoned = 5;

template <class Fill>
void send(Link& link, Fill&& fill, std::span<const int> fds = {}) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<wire::FromWorker>());
  // If arenad is gone, the link's end tells so at the next look.
  (void)link.send(message, fds);
}

wire::RefusedCode code_of(RecoveryFault fault) {
  switch (fault) {
    case RecoveryFault::state:
      return wire::RefusedCode::STATE;
    case RecoveryFault::no_snapshot:
      return wire::RefusedCode::NO_SNAPSHOT;
    case RecoveryFault::broken_log:
      return wire::RefusedCode::BROKEN_LOG;
    case RecoveryFault::diverged:
      return wire::RefusedCode::DIVERGED;
  }
  return wire::RefusedCode::SYSTEM;
}

// Nothing rings when arenad dies: the kernel tells, by a signal that interrupts the wait. If it comes right before the wait, the next
// regular look finds out.
volatile sig_atomic_t link_signalled = 0;

bool take_link_signal() {
  if (link_signalled == 0) return false;
  link_signalled = 0;
  return true;
}

void announce_by_signal(const Link& link) {
  struct sigaction action {};
  action.sa_handler = [](int) { link_signalled = 1; };
  ::sigaction(SIGIO, &action, nullptr);  // without SA_RESTART
  const int fd = link.fd().get();
  ::fcntl(fd, F_SETOWN, ::getpid());
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_ASYNC);
}

void refuse(Link& link, wire::RefusedCode code, const std::string& why) {
  send(link, [&](wire::FromWorker::Builder message) {
    auto refused = message.initRefused();
    refused.setCode(code);
    refused.setMessage(why);
  });
}

// One incarnation of one arena.
class LiveArena {
 public:
  // Takes the board and the channels out of the assignment.
  LiveArena(const Module& module, Incarnation region, Link link, Fd output, Assignment& assignment, uint64_t assigned_ns)
      : link_(std::move(link)),
        output_(std::move(output)),
        board_(std::move(assignment.board)),
        assigned_ns_(assigned_ns),
        orphan_(assignment.adoption_socket, assignment.orphan_timeout_ns),
        slow_frame_ns_(assignment.slow_frame_ns),
        snapshots_(assignment.snapshot_interval_ns, assigned_ns),
        runtime_(module.game(), std::move(region), assignment.identity, assignment.max_event_bytes,
                 [this] { wait_for_commit(); }) {
    for (AssignedChannel& channel : assignment.channels) attach(std::move(channel));
  }

  bool begin(const Assignment& assignment);
  int run();

 private:
  enum class Fate { goes_on, finished, abandoned, lacks_memory };

  bool begin_fresh(const ParamList& params);
  bool begin_again(const RecoverySources& sources);
  void go_live();
  void attach(AssignedChannel channel);
  void wait_for_commit();
  Fate look_at_link();
  Fate hear_arenad(uint64_t now_ns, const std::function<Fate(LinkMessage&)>& take);
  Fate link_broke(uint64_t now_ns);
  Fate take_message(const LinkMessage& message);
  void be_adopted(Fd board);
  [[nodiscard]] uint64_t next_link_look_ns() const;
  [[nodiscard]] bool anything_to_do() const;  // for a game without ticks
  [[nodiscard]] bool is_behind() const;
  void idle_once();
  void wait_until_due();
  void sleep(std::span<const FutexWait> waits, uint64_t deadline_ns) const;
  void run_frame();
  void note_frame_time(uint64_t began_ns);
  void report_expelled();
  void report_retried();
  void report_kicked();
  void report_signalled();
  void take_retry(wire::Retry::Reader retry);
  std::optional<PendingRetry> next_retry();
  std::optional<PendingSignal> next_signal();
  void wake_readers();
  void snapshot_if_due();
  void release();
  int finish(Stage stage);

  WorkerStatus& status() { return runtime_.status(); }

  Link link_;
  Fd output_;  // the file of its output
  BoardView board_;
  bool is_live_ = false;
  Fd unmapped_board_;  // of the arenad that has it now, if that could not be mapped: tried again
  uint32_t bell_seen_ = 0;
  uint64_t link_looked_ns_ = 0;
  uint64_t assigned_ns_;
  Orphan orphan_;
  uint64_t slow_frame_ns_;
  std::optional<TickSchedule> ticks_;
  SnapshotSchedule snapshots_;
  bool snapshot_asked_ = false;
  FrameNumber snapshot_tried_;
  FrameNumber idled_after_;
  std::optional<uint64_t> drain_deadline_unix_ns_;
  std::deque<PendingRetry> retries_;
  std::deque<PendingSignal> signals_;
  std::deque<LinkMessage> put_off_;  // came while a frame ran, and wait for its end
  ArenaRuntime runtime_;
};

void LiveArena::attach(AssignedChannel channel) {
  WorkerChannel& attached =
      runtime_.channels().attach(channel.id, channel.slot, std::move(channel.player), std::move(channel.view));
  attached.gone_reason = channel.gone_reason;
}

// A result does not fit before arenad has stored older ones, and the frame waits. An arenad that comes meanwhile, or is upgraded, says so on a board of its
// own; and it is offered all channels. What else is said waits for the frame's end: this one is decided.
void LiveArena::wait_for_commit() {
  const Fate fate = hear_arenad(monotonic_ns(), [this](LinkMessage& message) {
    std::optional<MessageView> view;
    const auto root = message.root<wire::ToWorker>(view);
    if (root.isAdopt() || root.isJoin() || root.isLeave()) return take_message(message);
    put_off_.push_back(std::exchange(message, {}));
    return Fate::goes_on;
  });
  if (fate == Fate::abandoned) {
    log_line(ARENAD_LOG_WARNING, runtime_.identity().name, runtime_.frame().value,
             "no arenad has come in time, and this frame's results do not fit before one has: the arena ends here, with what "
             "was before the frame");
    std::_Exit(kExitAbandoned);
  }
  if (fate == Fate::lacks_memory) std::_Exit(kExitNoMemoryForPlayer);
  const std::array waits = {board_.bell_wait(board_.bell())};
  runtime_.incarnation().beat();  // it waits for the disk, which is no fault of the game's
  runtime_.results_committed(board_.results_committed());
  futex_wait_any(waits, monotonic_ns() + 10 * kMillisecond);
  runtime_.results_committed(board_.results_committed());
}

bool LiveArena::begin(const Assignment& assignment) {
  ARENAD_CRASH_POINT("worker.assigned");
  runtime_.incarnation().set_stage(Stage::recovering);
  const bool begun = assignment.fresh ? begin_fresh(assignment.params) : begin_again(assignment.sources);
  // Channels that left before the frame that we begin with: kept only until nobody can have to begin before it. Of one that a replay has
  // seen leave, or an earlier incarnation, arenad may not have heard.
  const uint64_t let_in = status().newest_joined.load(std::memory_order_relaxed);
  for (auto& [id, channel] : runtime_.channels().all()) {
    if (!channel.joined && (channel.gone_reason || id <= let_in)) channel.left = runtime_.frame();
  }
  if (begun) go_live();
  return begun;
}

bool LiveArena::begin_fresh(const ParamList& params) {
  if (auto started = runtime_.init(params); !started) {
    refuse(link_, wire::RefusedCode::PARAMS, started.error().text());
    return false;
  }
  status().rung.store(static_cast<uint32_t>(Rung::init), std::memory_order_relaxed);
  status().loaded_ns.store(monotonic_ns(), std::memory_order_relaxed);
  if (runtime_.take_snapshot()) return true;
  refuse(link_, wire::RefusedCode::PARAMS, "the first state does not fit in a snapshot: raise the game's max_state_bytes");
  return false;
}

bool LiveArena::begin_again(const RecoverySources& sources) {
  const auto recovered = recover(runtime_, sources);
  if (const auto* failure = std::get_if<RecoveryFailure>(&recovered)) {
    refuse(link_, code_of(failure->fault), failure->message);
    return false;
  }
  const auto& report = std::get<RecoveryReport>(recovered);
  WorkerStatus& s = status();
  s.rung.store(static_cast<uint32_t>(report.rung), std::memory_order_relaxed);
  s.restored_frame.store(report.restored.value, std::memory_order_relaxed);
  s.replayed_frames.store(report.replayed_frames, std::memory_order_relaxed);
  s.replayed_events.store(report.replayed_events, std::memory_order_relaxed);
  s.divergences.store(report.divergences, std::memory_order_relaxed);
  s.first_divergent_frame.store(report.first_divergent_frame, std::memory_order_relaxed);
  report_retried();
  report_kicked();
  report_signalled();
  if (sources.predecessor && runtime_.host().tick_hz() != 0) {
    // Ticks keep their phase over the death; CLOCK_MONOTONIC is the machine's, not the process's.
    const uint64_t period_ns = kSecond / runtime_.host().tick_hz();
    const uint64_t last_ns = sources.predecessor->status().heartbeat_ns.load(std::memory_order_relaxed);
    const uint64_t now = monotonic_ns();
    ticks_.emplace(period_ns,
                   last_ns != 0 && last_ns <= now ? std::max(last_ns + period_ns, now > kSecond ? now - kSecond : 0) : now);
  }
  return true;
}

void LiveArena::go_live() {
  const uint64_t now = monotonic_ns();
  if (!ticks_ && runtime_.host().tick_hz() != 0) {
    // Arenas that start together should not tick together.
    const uint64_t period_ns = kSecond / runtime_.host().tick_hz();
    ticks_.emplace(period_ns, now + frame_seed(runtime_.identity().arena, {0}) % period_ns);
  }
  ARENAD_CRASH_POINT("worker.live.before");
  status().recovery_ns.store(now - assigned_ns_, std::memory_order_relaxed);
  status().live_since_unix_ns.store(unix_ns(), std::memory_order_relaxed);
  runtime_.incarnation().set_phase(Phase::waiting);  // for its first frame; a game without ticks may wait for long
  runtime_.incarnation().set_stage(Stage::live);
  is_live_ = true;
  ARENAD_CRASH_POINT("worker.live.staged");
  send(link_, [&](wire::FromWorker::Builder message) {
    auto live = message.initLive();
    live.setEpoch(runtime_.identity().epoch.value);
    live.setFrame(runtime_.frame().value);
    live.setTickHz(runtime_.host().tick_hz());
    live.setMaxPlayers(runtime_.host().max_players());
  });
  ARENAD_CRASH_POINT("worker.live.told");
}

int LiveArena::run() {
  for (;;) {
    runtime_.incarnation().beat();
    const bool ended = runtime_.host().ended();
    // The end of the match is told to an arenad: its results are not durable before one has them.
    if (ended && orphan_.is_watched()) return finish(Stage::ended);
    switch (look_at_link()) {
      case Fate::goes_on:
        break;
      case Fate::finished:
        return finish(ended ? Stage::ended : Stage::finished);
      case Fate::lacks_memory:
        return kExitNoMemoryForPlayer;
      case Fate::abandoned:
        log_line(ARENAD_LOG_WARNING, runtime_.identity().name, runtime_.frame().value,
                 "no arenad has come in time: the arena ends here");
        return finish(ended ? Stage::ended : Stage::finished);
    }
    if (ended) {
      const std::array waits = {board_.bell_wait(bell_seen_)};
      sleep(waits, next_link_look_ns());
      continue;
    }
    const bool due = ticks_ ? ticks_->is_due(monotonic_ns()) : anything_to_do();
    if (due) run_frame();
    snapshot_if_due();
    release();
    if (due && !is_behind()) continue;
    idle_once();
    if (!due) wait_until_due();
  }
}

// The next tick is due already.
bool LiveArena::is_behind() const {
  return ticks_ && ticks_->is_due(monotonic_ns());
}

// The game's own time, once after each frame; none, if frames take longer than ticks: then it only learns so.
void LiveArena::idle_once() {
  if (idled_after_ == runtime_.frame()) return;
  idled_after_ = runtime_.frame();
  if (!ticks_) return runtime_.host().idle(kIdleWithoutTicksNs);
  const uint64_t now = monotonic_ns();
  runtime_.host().idle(now < ticks_->due_ns() ? ticks_->due_ns() - now : 0);
}

LiveArena::Fate LiveArena::look_at_link() {
  const uint32_t bell = board_.bell();
  const uint64_t now = monotonic_ns();
  if (bell == bell_seen_ && put_off_.empty() && !take_link_signal() && now < next_link_look_ns()) return Fate::goes_on;
  bell_seen_ = bell;
  link_looked_ns_ = now;
  trim_own_output(output_);  // arenad may be gone, or stopped
  while (!put_off_.empty()) {
    LinkMessage message = std::move(put_off_.front());
    put_off_.pop_front();
    const Fate fate = take_message(message);
    if (fate != Fate::goes_on) return fate;
  }
  return hear_arenad(now, [this](LinkMessage& message) { return take_message(message); });
}

// What has come over the link; without one, it offers itself when it is time for that.
LiveArena::Fate LiveArena::hear_arenad(uint64_t now_ns, const std::function<Fate(LinkMessage&)>& take) {
  if (unmapped_board_) be_adopted(std::exchange(unmapped_board_, {}));
  if (orphan_.is_alone()) {
    // One that has not gone live is of no use to anybody: its predecessor has all of it.
    auto link = is_live_ ? orphan_.try_offer(now_ns, runtime_, output_) : std::nullopt;
    if (!link) return orphan_.gave_up(now_ns) ? Fate::abandoned : Fate::goes_on;
    link_ = std::move(*link);
    announce_by_signal(link_);
  }
  for (LinkMessage message;;) {
    switch (link_.receive(message, Link::Wait::no)) {
      case Link::Received::message: {
        const Fate fate = take(message);
        if (fate != Fate::goes_on) return fate;
        continue;
      }
      case Link::Received::nothing:
        return Fate::goes_on;
      case Link::Received::closed:
      case Link::Received::broken:
        return link_broke(now_ns);
    }
  }
}

LiveArena::Fate LiveArena::link_broke(uint64_t now_ns) {
  if (orphan_.is_watched()) {
    log_line(ARENAD_LOG_WARNING, runtime_.identity().name, runtime_.frame().value,
             "arenad is gone: the arena goes on, and offers itself to the next one");
  }
  orphan_.link_broke(now_ns);
  ARENAD_CRASH_POINT("orphan.link_broke");
  link_.close();
  unmapped_board_ = {};
  // Nobody waits for it any more; and the next arenad would take it for a death.
  std::erase_if(put_off_, [](const LinkMessage& message) {
    std::optional<MessageView> view;
    return message.root<wire::ToWorker>(view).isFinish();
  });
  return orphan_.gave_up(now_ns) || ARENAD_MUTANT("orphan.gives_up_at_once") ? Fate::abandoned : Fate::goes_on;
}

void LiveArena::be_adopted(Fd board) {
  unmapped_board_ = {};  // this is a later one
  Fd again(::fcntl(board.get(), F_DUPFD_CLOEXEC, 0));
  auto view = BoardView::map(std::move(board));
  if (!view) {
    // An arenad that gives no board has not taken it; there may be no memory for one at the moment.
    if (view.error().code != ErrorCode::corrupt) unmapped_board_ = std::move(again);
    return;
  }
  board_ = std::move(*view);
  bell_seen_ = board_.bell() - 1;
  orphan_.adopted();
  ARENAD_CRASH_POINT("orphan.adopted");
}

uint64_t LiveArena::next_link_look_ns() const {
  return orphan_.is_alone() ? orphan_.next_look_ns() : link_looked_ns_ + kLinkCheckNs;
}

LiveArena::Fate LiveArena::take_message(const LinkMessage& message) {
  std::optional<MessageView> view;
  const auto root = message.root<wire::ToWorker>(view);
  auto& fds = const_cast<std::vector<Fd>&>(message.fds);
  switch (root.which()) {
    case wire::ToWorker::ASSIGN:
      break;
    case wire::ToWorker::JOIN: {
      if (fds.empty()) break;
      auto channel = take_channel(root.getJoin(), std::move(fds[0]));
      if (channel) {
        attach(std::move(*channel));
        break;
      }
      log_line(ARENAD_LOG_ERROR, runtime_.identity().name, runtime_.frame().value,
               "a channel cannot be used: " + channel.error().text());
      // Not the player's fault. The next incarnation is given the channel again, and has all its memory before it.
      if (channel.error().code == ErrorCode::exhausted) return Fate::lacks_memory;
      send(link_, [&](wire::FromWorker::Builder to) { to.setClosed(root.getJoin().getId()); });
      break;
    }
    case wire::ToWorker::LEAVE:
      if (WorkerChannel* channel = runtime_.channels().find({root.getLeave().getId()})) {
        if (!channel->gone_reason) channel->gone_reason = root.getLeave().getReason();
      }
      break;
    case wire::ToWorker::FINISH:
      return Fate::finished;
    case wire::ToWorker::DRAIN:
      drain_deadline_unix_ns_ = root.getDrain();
      break;
    case wire::ToWorker::SNAPSHOT:
      snapshot_asked_ = true;
      break;
    case wire::ToWorker::RETRY:
      take_retry(root.getRetry());
      break;
    case wire::ToWorker::SIGNAL: {
      const auto signal = root.getSignal();
      signals_.push_back({signal.getNumber(), text_of(signal.getName()), text_of(signal.getPayload())});
      break;
    }
    case wire::ToWorker::ADOPT:
      if (!fds.empty()) be_adopted(std::move(fds[0]));
      break;
  }
  return Fate::goes_on;
}

void LiveArena::run_frame() {
  const uint64_t began_ns = monotonic_ns();
  if (ticks_) {
    const uint64_t late_ns = ticks_->begin(began_ns);
    auto& bucket = status().lateness_us[histogram_bucket(late_ns / 1000)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    auto& coarse = status().tick_lateness[time_bucket(late_ns)];
    coarse.store(coarse.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    auto& total = status().lateness_ns_total;
    total.store(total.load(std::memory_order_relaxed) + late_ns, std::memory_order_relaxed);
    if (late_ns > ticks_->period_ns()) status().frames_late.fetch_add(1, std::memory_order_relaxed);
  }
  status().heartbeat_ns.store(began_ns, std::memory_order_relaxed);
  runtime_.incarnation().set_phase(Phase::deciding);
  FrameInputs inputs;
  inputs.frame = runtime_.frame().next();
  inputs.time_unix_ns = unix_ns();
  inputs.seed = frame_seed(runtime_.identity().arena, inputs.frame);
  inputs.drain_deadline_unix_ns = std::exchange(drain_deadline_unix_ns_, std::nullopt);
  inputs.retry = next_retry();
  inputs.signal = next_signal();
  const DecidedFrame frame = decide_frame(inputs, runtime_.channels());
  if (inputs.retry && !has_entry(frame, FrameEntryKind::retry)) retries_.push_front(std::move(*inputs.retry));
  if (inputs.signal && !has_entry(frame, FrameEntryKind::signal)) signals_.push_front(std::move(*inputs.signal));
  ARENAD_CRASH_POINT("frame.decided");
  runtime_.record(frame);
  ARENAD_CRASH_POINT("frame.recorded");
  auto effects = runtime_.run(frame);
  // What was just decided names only channels that are there.
  ARENAD_ASSERT(effects.ok());
  const auto published = runtime_.publish(*effects);
  if (published.outputs) wake_readers();
  if (published.results) send(link_, [](wire::FromWorker::Builder message) { message.setResults(); });
  if (status().frames.load(std::memory_order_relaxed) == 0) {
    status().first_frame_published_ns.store(monotonic_ns(), std::memory_order_release);
  }
  note_frame_time(began_ns);
  report_expelled();
  report_kicked();
  report_retried();
  report_signalled();
  runtime_.incarnation().set_phase(Phase::waiting);
  ARENAD_CRASH_POINT("frame.end");
}

bool LiveArena::anything_to_do() const {
  return anything_to_take(runtime_.channels()) || drain_deadline_unix_ns_ || !retries_.empty() || !signals_.empty();
}

void LiveArena::take_retry(wire::Retry::Reader retry) {
  const auto message = retry.getMessage();
  retries_.push_back({retry.getId(),
                      retry.getSlot(),
                      retry.getPlayer(),
                      {retry.getEvent().getChannel(), retry.getEvent().getSequence(), retry.getType()},
                      std::string(message.asChars().begin(), message.size())});
}

// One in a frame, and not before the log has room for it.
std::optional<PendingRetry> LiveArena::next_retry() {
  if (retries_.empty() || !runtime_.log().fits(kMaxFrameRecordBytes)) return std::nullopt;
  PendingRetry next = std::move(retries_.front());
  retries_.pop_front();
  return next;
}

std::optional<PendingSignal> LiveArena::next_signal() {
  if (signals_.empty() || !runtime_.log().fits(kMaxFrameRecordBytes)) return std::nullopt;
  PendingSignal next = std::move(signals_.front());
  signals_.pop_front();
  return next;
}

void LiveArena::report_signalled() {
  for (const ArenaRuntime::Signalled& signalled : runtime_.take_signalled()) {
    send(link_, [&](wire::FromWorker::Builder message) {
      auto to = message.initSignalled();
      to.setNumber(signalled.number);
      if (signalled.reply) {
        to.setReply(whole_text(signalled.reply.value()));
      } else if (signalled.reply.error().code == ErrorCode::failed) {
        to.setFailed(signalled.reply.error().text());
      } else {
        to.setRefused(signalled.reply.error().text());
      }
    });
  }
}

void LiveArena::report_kicked() {
  for (const ArenaRuntime::Kicked& kicked : runtime_.take_kicked()) {
    send(link_, [&](wire::FromWorker::Builder message) {
      auto to = message.initKicked();
      to.setChannel(kicked.channel.value);
      to.setReason(kicked.reason);
      to.setWasIn(kicked.was_in);
    });
  }
}

void LiveArena::report_retried() {
  for (const ArenaRuntime::Retried& retried : runtime_.take_retried()) {
    send(link_, [&](wire::FromWorker::Builder message) {
      auto to = message.initRetried();
      to.setId(retried.id);
      if (retried.why_not.empty()) {
        to.setApplied();
      } else {
        to.setNotApplied(retried.why_not);
      }
    });
  }
}

void LiveArena::report_expelled() {
  for (const auto& [id, channel] : runtime_.channels().all()) {
    if (channel.left != runtime_.frame() || channel.gone_reason != ARENAD_EXPELLED) continue;
    log_line(ARENAD_LOG_WARNING, runtime_.identity().name, runtime_.frame().value,
             "player " + channel.player + " was expelled: its channel holds something that is not a record");
    const uint64_t closed = channel.id.value;
    send(link_, [&](wire::FromWorker::Builder message) { message.setClosed(closed); });
  }
}

void LiveArena::note_frame_time(uint64_t began_ns) {
  WorkerStatus& s = status();
  const uint64_t took_ns = monotonic_ns() - began_ns;
  s.frames.store(s.frames.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  auto& bucket = s.frame_time[time_bucket(took_ns)];
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (took_ns > slow_frame_ns_) s.frames_slow.fetch_add(1, std::memory_order_relaxed);
  s.frame_ns_total.store(s.frame_ns_total.load(std::memory_order_relaxed) + took_ns, std::memory_order_relaxed);
  if (took_ns > s.frame_ns_max.load(std::memory_order_relaxed)) s.frame_ns_max.store(took_ns, std::memory_order_relaxed);
}

void LiveArena::wake_readers() {
  // A reader says that it sleeps before its last look at what is published: one of us sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (const auto& [id, channel] : runtime_.channels().all()) {
    if (channel.gone_reason || channel.view.header().reader_asleep.load(std::memory_order_relaxed) == 0) continue;
    futex_wake_all(low_half(status().outputs_published));
    return;
  }
}

void LiveArena::snapshot_if_due() {
  const FrameNumber frame = runtime_.frame();
  const Fullness fullness = runtime_.fullness();
  const uint64_t now = monotonic_ns();
  if (status().snapshot_frame.load(std::memory_order_relaxed) == frame.value) {
    if (!second_copy_due({board_.durable_frame()}, runtime_.older_slot_frame(), frame, fullness)) return;
  } else {
    if (snapshot_tried_ == frame || (!snapshot_asked_ && !snapshots_.due(now, fullness))) return;
    snapshot_asked_ = false;
    snapshot_tried_ = frame;
  }
  runtime_.take_snapshot();
  snapshots_.taken(now);
  runtime_.incarnation().set_phase(Phase::waiting);
}

void LiveArena::release() {
  Floor floor = retention_floor({board_.durable_frame()}, runtime_.older_slot_frame(), runtime_.fullness());
  if (ARENAD_MUTANT("release.before_checkpoint")) floor.frame = runtime_.frame();
  for (const ChannelId id : runtime_.release(floor)) {
    send(link_, [&](wire::FromWorker::Builder message) { message.setReleased(id.value); });
  }
  runtime_.results_committed(board_.results_committed());
}

void LiveArena::wait_until_due() {
  const uint64_t link_ns = next_link_look_ns();
  if (ticks_) {
    const std::array waits = {board_.bell_wait(bell_seen_)};
    sleep(waits, std::min(ticks_->due_ns(), link_ns));
    return;
  }
  // Sleeping until any channel's published end moves. The clients look at `asleep` after they have published.
  status().asleep.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!anything_to_take(runtime_.channels())) {
    std::array<FutexWait, kMaxFutexWaits> waits;
    size_t count = 0;
    waits[count++] = board_.bell_wait(bell_seen_);
    for (const auto& [id, channel] : runtime_.channels().all()) {
      if (!channel.in_arena() || !channel.view.has_ring() || count == waits.size()) continue;
      waits[count++] = {low_half(channel.view.header().published), static_cast<uint32_t>(channel.cursor.position())};
    }
    const bool unsaved = status().snapshot_frame.load(std::memory_order_relaxed) != runtime_.frame().value;
    sleep({waits.data(), count}, unsaved ? std::min(snapshots_.due_ns(), link_ns) : link_ns);
  }
  status().asleep.store(0, std::memory_order_relaxed);
}

void LiveArena::sleep(std::span<const FutexWait> waits, uint64_t deadline_ns) const {
  futex_wait_any(waits, deadline_ns);
}

int LiveArena::finish(Stage stage) {
  ARENAD_CRASH_POINT("finish.before");
  if (status().snapshot_frame.load(std::memory_order_relaxed) != runtime_.frame().value) runtime_.take_snapshot();
  ARENAD_CRASH_POINT("finish.snapshot");
  runtime_.incarnation().set_stage(stage);
  ARENAD_CRASH_POINT("finish.staged");
  const uint64_t frame = runtime_.frame().value;
  send(link_, [&](wire::FromWorker::Builder message) {
    if (stage == Stage::ended) {
      message.setEnded(frame);
    } else {
      message.setFinished(frame);
    }
  });
  ARENAD_CRASH_POINT("finish.told");
  return 0;
}

}  // namespace

int run_worker(const Module& module, Incarnation region, Link link, Fd output) {
  if (module.game().prepare != nullptr) module.game().prepare();
  const int region_fd = region.fd().get();
  capnp::MallocMessageBuilder ready;
  ready.initRoot<wire::FromWorker>().setReady(static_cast<uint32_t>(::getpid()));
  // Nobody would know of it, and it would be waited for until it is late.
  if (!link.send(ready, {&region_fd, 1})) return 0;
  ARENAD_CRASH_POINT("spare.ready");
  LinkMessage message;
  const auto received = link.receive(message, Link::Wait::yes);
  if (received != Link::Received::message) return 0;  // not needed any more
  const uint64_t assigned_ns = monotonic_ns();
  std::optional<MessageView> view;
  const auto root = message.root<wire::ToWorker>(view);
  if (!root.isAssign()) return 0;
  auto assignment = take_assignment(root.getAssign(), std::move(message.fds));
  if (!assignment) {
    refuse(link, wire::RefusedCode::SYSTEM, assignment.error().text());
    return kExitRefused;
  }
  set_process_name(assignment->identity.name);
  open_black_box(region, module.game().stack);
  region.assign(assignment->identity.arena, assignment->identity.epoch, assignment->code, module.game().schema_hash,
                static_cast<uint32_t>(::getpid()));
  region.set_version(module.game().version);
  region.set_restarts(assignment->restarts);
  announce_by_signal(link);
  LiveArena arena(module, std::move(region), std::move(link), std::move(output), *assignment, assigned_ns);
  const int exit_code = arena.begin(*assignment) ? arena.run() : kExitRefused;
  close_black_box();
  return exit_code;
}

}  // namespace arenad
