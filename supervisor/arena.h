// One arena, as arenad holds it: its lifecycle, its worker, what its last incarnation left, its channels. This is the shell around
// arena_lifecycle.h: facts go in there, and the actions that come out are carried out here.
//
// Which regions are kept: `lived_` is the region of the last incarnation that went live, with a snapshot and the log; a successor
// begins from it and takes its place when it goes live itself. So it never matters in which moment a successor dies.
//
// arena.cc has the life of the workers; arena_deaths.cc how they are watched and what is written down of their ends; arena_quarantine.cc
// the events that it does not get; arena_inheritance.cc how it begins with what an earlier arenad has left; arena_clients.cc who is
// attached; arena_saving.cc what goes to the database; arena_handover.cc how it changes its code; arena_upgrade.cc how it goes over to another
// program of arenad.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipc/board.h"
#include "ipc/incarnation.h"
#include "ipc/outbox.h"
#include "state/records.h"
#include "state/snapshot.h"
#include "state/store_thread.h"
#include "supervisor/arena_groups.h"
#include "supervisor/arena_lifecycle.h"
#include "supervisor/channel_roster.h"
#include "supervisor/config.h"
#include "supervisor/cpu_use.h"
#include "supervisor/crash_report.h"
#include "supervisor/death.h"
#include "supervisor/fact_queue.h"
#include "supervisor/game_versions.h"
#include "supervisor/handover.h"
#include "supervisor/hang_detector.h"
#include "supervisor/kept_arena.h"
#include "supervisor/lifecycle_log.h"
#include "supervisor/metrics_ledger.h"
#include "supervisor/oom_witness.h"
#include "supervisor/output_log.h"
#include "supervisor/poison_watch.h"
#include "supervisor/quarantine.h"
#include "supervisor/record_numbers.h"

namespace arenad {

// What an arena tells the clients that are attached to it.
class ClientNotices {
 public:
  virtual ~ClientNotices() = default;
  virtual void incarnation(uint64_t connection, uint32_t attachment, Epoch epoch, const Fd& region) = 0;
  virtual void gone(uint64_t connection, uint32_t attachment, const std::string& state, const std::string& reason) = 0;
  virtual void board(uint64_t connection, uint32_t attachment, const Fd& board) = 0;
};

// What the database knows of an arena beside its record.
struct Durable {
  std::optional<Snapshot> checkpoint;  // the newest one that can be read
  uint64_t damaged = 0;                // those that cannot
  uint64_t results = 0;                // the sequence of the last one
  std::vector<QuarantineRecord> quarantined;
  std::optional<Error> unread;  // why nothing of this could be read, in many tries
};

// What an earlier arenad had of an arena: its last incarnation, the one that had handed over to its code if that is on probation, and the
// channels of its clients.
struct Inheritance {
  IncarnationView region;
  std::optional<IncarnationView> origin;
  std::vector<RosterChannel> channels;
};

struct ArenaServices {
  uv_loop_t* loop;
  FactQueue& facts;
  const Config& config;
  StoreThread& store;
  ClientNotices& clients;
  ServiceManager& manager;
  RecordNumbers& numbers;
  OomWitness& oom;
  ArenaGroups& groups;
  LifecycleLog& events;
  MetricsLedger& metrics;
};

struct ArenaAttachment {
  uint64_t connection = 0;
  uint32_t attachment = 0;
  ChannelId channel;
};

class Arena {
 public:
  // How often watch_worker() is called.
  static constexpr uint64_t kWatchIntervalMs = 50;

  // A new arena, or one from the database as its record says. Errors: no memory for its board.
  static Result<std::unique_ptr<Arena>> create(ArenaServices services, ArenaRecord record, GameVersions* versions);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Begins the first incarnation of a new arena.
  void begin_new();
  // An arena of which there is nothing but the database: one that ran goes on from there, any other stays as it was.
  enum class Resumed { as_it_was, set_back };
  Resumed take_up(const Durable& durable);
  // Before take_up() of an arena that never began: these had come already, and are still there.
  void expect(std::vector<RosterChannel> channels);
  // An arena whose last incarnation has ended: the next one goes on where it was.
  void recover_from(Inheritance inheritance, const Durable& durable);
  // An arena that has failed: as it was.
  void keep(Inheritance inheritance, const Durable& durable);
  // An arena whose worker lives and has offered itself.
  void adopt(std::unique_ptr<ChildProcess> worker, Inheritance inheritance, const Durable& durable);
  // Why hand_on() would not say all of it; nothing if it would.
  [[nodiscard]] std::optional<std::string> not_steady() const;
  void hand_on(wire::ArenaState::Builder to, FdsToKeep& fds) const;
  // Of the arenad that this one has taken the place of, in the same process: its worker goes on and hears only of a new board.
  void take_on(wire::ArenaState::Reader from, HandedOn& handed, const ChildScope& children, const Durable& durable);
  // Gives its record to the database as it is; that of one at rest is there.
  void save_record() {
    if (is_active()) persist();
  }
  // From now on arenad answers: those who were there have some time to come back.
  void expect_clients_back();
  // What is kept of it is newer than its record, which says that it rests.
  void was_started_again() { record_.disposition = ArenaDisposition::running; }
  // The service manager keeps this of it since an earlier arenad.
  // Its epoch is used up, also if that incarnation never lived, and so is its channel's id, also if nobody was told of it: the name under
  // which it is kept is taken.
  void is_kept(const KeptName& name) {
    kept_.is_kept(name);
    record_.epoch = std::max(record_.epoch, name.epoch.value);
    channels_.use_up(name.channel);
  }

  Answer stop();
  Answer restart();
  // Other code takes over after a frame. Unless this is refused there is news: that it is live, on probation; and at the end, once, what
  // became of it. After a failure, of which `why` tells, the arena goes on with its old code.
  enum class HandoverNews { live, passed, failed, gone };
  using HandoverNotice = std::function<void(ArenaId, HandoverNews, const std::string& why)>;
  Result<void> hand_over(GameTemplate& to, const Probation& probation, HandoverNotice tell);
  // Errors: refused, with what is under way, and what to do about it.
  [[nodiscard]] Result<void> may_hand_over() const;
  [[nodiscard]] Result<void> may_restart() const;
  // An arena that was on probation when an earlier arenad died does not pass before it is told how long that lasts, and whom to tell.
  void resume_handover(const Probation& probation, HandoverNotice tell);
  [[nodiscard]] bool is_handover_open() const { return handover_ && handover_->progress.is_open(); }
  // Why this code was taken back, if it was since this arenad began, and nobody was told.
  [[nodiscard]] std::optional<std::string> untold_failure(CodeHash code) const;
  void pin(bool pinned);
  // The configuration has changed: other restarts are charged, or none, from the next crash on.
  void set_restart_policy(const RestartPolicy& policy) { lifecycle_.set_restart_policy(policy); }
  // The configuration knows its game again; or, with nullptr, no more: only of an arena that rests and has no worker.
  void set_game(GameVersions* versions);
  [[nodiscard]] bool is_changing_code() const { return handover_.has_value(); }
  [[nodiscard]] bool is_on_probation() const;
  // Tells the game to end the match; what still runs at the deadline is stopped.
  void drain(uint64_t deadline_ms);
  // From now on it is not stopped at a deadline; its game keeps what it was told. False if it was not draining.
  bool undrain();
  // Forgets its crashes, so that all restarts of its budget are there again. False if it knows of none.
  bool forget_crashes();
  // Errors: refused, if it has no worker.
  Result<void> signal_worker(int number);
  // Of the frame that its worker has come to. It comes to the database as every snapshot does.
  void ask_for_snapshot();
  // Ends the worker without an end of the arena: it goes on when arenad runs again. What is in memory alone, because its worker has
  // died, is recovered first, by a worker that then ends.
  void shut_down();
  // Waits for nothing any more: what it had at its last snapshot is what is kept.
  void shut_down_as_it_is();
  void kill_worker();
  // Looks whether the worker still moves.
  void watch_worker(uint64_t now_ns);
  // Takes what its worker has written since into the log.
  void log_output(uint64_t now_ns, OutputTurn& turn);

  // Applies an event from quarantine in the next frame. The answer comes once, when it is known what became of it.
  using RetryAnswer = std::function<void(Result<std::string>)>;
  void retry_quarantined(const QuarantineRecord& record, RetryAnswer answer);
  // Errors: refused, while it is not sure that no replay needs to know of it.
  Result<void> drop_quarantined(uint64_t id);

  // GameSchema of the code whose snapshots there are; empty: not known now.
  [[nodiscard]] std::string schema_of_state() const;

  // Applies a signal in the next frame. The answer, the game's reply, comes once, when it is known what became of it. Errors: refused (nothing was done),
  // failed (the worker has died of it), exhausted, timeout (nothing was heard of it).
  using SignalAnswer = std::function<void(Result<std::string>)>;
  void tell_game(const std::string& name, const std::string& payload, SignalAnswer answer);

  struct Attached {
    Seat seat = 0;
    ChannelId channel;
    uint64_t outputs_from = 0;
    const Fd* board = nullptr;
    const IncarnationView* live = nullptr;
  };
  Result<Attached> attach(uint64_t connection, uint32_t attachment, ChannelRoster::Kind kind, const std::string& player,
                          Fd region);
  // A client of an earlier arenad is back, with the channel that it has written to all the time.
  Result<Attached> reattach(uint64_t connection, uint32_t attachment, ChannelId channel, const std::string& player,
                            const Fd& region);
  void detach(uint32_t attachment, uint32_t reason);
  // Nothing of it is needed any more.
  void forget_kept() { kept_.forget_all(); }

  // The newest snapshot, if it is newer than what was given before.
  std::optional<CheckpointRecord> next_checkpoint();
  void checkpoint_committed(FrameNumber frame);
  // While the store is busy: a snapshot that waits to be given is late from now on.
  void note_waiting_snapshot();
  // Another database has taken the place of the one in use: gives it all that is known of this arena.
  void save_anew();

  // Calls back when `settled` holds after a change of state; at once if it does now.
  void when(std::function<bool(const Arena&)> settled, std::function<void()> then);

  [[nodiscard]] const ArenaRecord& record() const { return record_; }
  [[nodiscard]] ArenaState state() const { return lifecycle_.state(); }
  [[nodiscard]] const ArenaLifecycle& lifecycle() const { return lifecycle_; }
  [[nodiscard]] bool is_active() const { return lifecycle_.is_active(); }
  [[nodiscard]] bool is_saved() const { return pending_since_ns_.empty() && unawaited_.empty(); }
  // It has a worker, or is shut down and gets one that finishes what a dead one has left.
  [[nodiscard]] bool runs_on() const { return worker_ != nullptr || (recovers_to_finish_ && is_active()); }
  // Someone has asked to be called back, by when(), and has not been yet.
  [[nodiscard]] bool is_awaited() const { return !waiters_.empty() || answering_ != 0; }
  // A new arena that could not be started.
  [[nodiscard]] bool never_began() const {
    return !is_active() && recoveries_ == 0 && !lived_ && state() == ArenaState::failed;
  }
  [[nodiscard]] ErrorCode start_failure_code() const { return start_failure_; }
  // The store's health has changed: who waits may want to know.
  void reconsider();
  [[nodiscard]] bool has_worker() const { return worker_ != nullptr; }
  [[nodiscard]] pid_t pid() const { return worker_ ? worker_->pid() : 0; }
  [[nodiscard]] const CpuUse& cpu() const { return cpu_; }
  [[nodiscard]] const IncarnationView* lived() const { return lived_ ? &*lived_ : nullptr; }
  // Of the game, as text: what its incarnation says, because of an adopted arena the template need not be loaded. Only if it has a game.
  [[nodiscard]] std::string version() const;
  [[nodiscard]] const ChannelRoster& channels() const { return channels_; }
  [[nodiscard]] size_t clients() const { return attachments_.size(); }
  [[nodiscard]] const std::string& last_exit() const { return last_exit_; }
  [[nodiscard]] uint64_t died_ns() const { return died_ns_; }
  [[nodiscard]] uint64_t delay_until_ns() const { return delay_until_ns_; }
  [[nodiscard]] FrameNumber durable_frame() const { return durable_; }
  // Since when the oldest of what is not in the database has waited: snapshot, record or result. 0: everything is there.
  [[nodiscard]] uint64_t unsaved_since_ns() const;
  [[nodiscard]] uint64_t recoveries() const { return recoveries_; }
  [[nodiscard]] const Quarantine& quarantine() const { return quarantine_; }
  [[nodiscard]] uint64_t last_crash() const { return last_crash_; }
  // The version that it runs. nullptr: the configuration does not know the game any more.
  [[nodiscard]] const GameTemplate* game() const { return game_; }
  [[nodiscard]] bool is_draining() const { return draining_; }
  // What its worker has counted since the last call goes to the metrics.
  void count() const;

 private:
  Arena(ArenaServices services, ArenaRecord record, Board board, GameVersions* versions);
  GameTemplate* version_of(CodeHash code);
  void skip_channel_ids();
  // An error: not all of it; once more, before a worker begins with it.
  Result<void> take_over_checkpoint(const Snapshot& checkpoint);
  void inherit(Inheritance inheritance, const Durable& durable);
  Resumed stay_down(const Error& error);
  void take_on_worker(wire::ArenaState::Reader from, HandedOn& handed, const ChildScope& children);
  void drop_those_who_did_not_return();
  void listen_to_worker();
  void carry_out(const ArenaActions& actions);
  void begin_incarnation(BeginWith with);
  void begin_with_checkpoint(BeginWith with, std::optional<std::string> checkpoint);
  void take_worker(BeginWith with, std::optional<std::string> checkpoint);
  void assign(Spare spare, BeginWith with, const std::optional<std::string>& checkpoint);
  void take_message(const LinkMessage& message);
  // Of a worker that breaks the rules: it is ended, also if it does not go by itself.
  void end_offender(std::string why);
  void worker_live();
  enum class Began { first, after_another };
  void count_live(Began began, const RecoveryTimes& times);
  void worker_ended(Exit exit);
  [[nodiscard]] HangPolicy hang_policy() const;
  void begin_watching();
  void tell_live(const RecoveryTimes& times);
  void note_recovery(RecoveryTimes times);
  void note_struck();
  [[nodiscard]] SignOfLife last_sign_of(const IncarnationView& region, const EndNote& note) const;
  [[nodiscard]] RecoveryTimes recovery_times() const;
  // Something has happened to it that scripts may want to know.
  void tell(LifecycleEvent event, LifecycleLog::Details details = {});
  void log_last_output(uint64_t now_ns);
  void end_worker(std::string why);
  IncidentScene scene(const IncarnationView& region);
  void note_slow_frame(const IncarnationView& region);
  // A worker of an earlier arenad, which may have given it none.
  void give_group(const IncarnationView& region);
  [[nodiscard]] DeathFacts::Memory memory_at_death(pid_t pid);
  Charge note_death(const IncarnationView& region, Exit exit);
  void restore_quarantine(const std::vector<QuarantineRecord>& records);
  void ask_to_finish();
  [[nodiscard]] std::string under_way() const;
  void tell_drain();
  bool handover_worker_ended(WorkerEnd end);
  bool decide_to_take_back();
  [[nodiscard]] bool reaches_back() const;
  void handover_worker_live();
  void keep_origin(IncarnationView origin);
  void resume_probation(IncarnationView origin);
  void watch_probation(uint64_t now_ns);
  void tell_script(HandoverNews news, const std::string& why);
  void tell_of_handover(HandoverNews news, const std::string& why);
  void end_handover(HandoverNews end, const std::string& why);
  Charge quarantine(const EventRef& event, PoisonWatch::Doing doing, const IncarnationView& region, IncidentScene& where,
                    StoreBatch& batch);
  void send_retry(const QuarantineRecord& record);
  void send_waiting_retries();
  void retried(uint64_t id, const std::string& why_not);
  void answer_retry(uint64_t id, const Result<std::string>& outcome);
  void refuse_retries();
  struct WaitingSignal {
    std::string name;
    std::string payload;
    SignalAnswer answer;
    uint64_t since_ns = 0;
    bool has_killed = false;  // its worker, which was not charged for it
  };
  void send_signal(uint64_t number, const WaitingSignal& signal);
  void send_waiting_signals();
  void signalled(wire::Signalled::Reader told);
  void answer_signal(uint64_t number, Result<std::string> reply);
  void give_up_signals(uint64_t now_ns);
  void refuse_signals();
  std::optional<std::string> blamed_signal(const IncarnationView& region);
  [[nodiscard]] bool is_in_a_begun_frame(uint64_t number) const;
  QuarantineRecord quarantine_entry(const EventRef& event, FrameNumber frame, const std::string& player);
  void take_note_of_logged_frames();
  void hold_again(const EventRef& event, FrameNumber frame);
  void worker_unavailable(const Error& error);
  void tell_worker(const std::function<void(wire::ToWorker::Builder)>& fill, std::span<const int> fds = {});
  void announce_incarnation();
  void announce_gone();
  void expel(ChannelId channel);
  void kick(wire::Kicked::Reader told);
  void part_with(ChannelId channel, uint32_t reason, const char* state, const std::string& why);
  void note_disposition();
  void persist();
  // Results that have come since the last call.
  struct NextResults {
    std::vector<ResultRecord> results;
    std::optional<uint64_t> last;  // sequence up to which the worker need keep none: also of one that could not be read
  };
  NextResults next_results();
  [[nodiscard]] ResultVersionRecord result_version() const;
  void save_results();
  void save_last();
  [[nodiscard]] bool has_more_than_saved() const;
  // What is given to the store: of each kind a later one tells of all before it.
  enum class Saving { record, checkpoint, results, last };
  void submit(StoreBatch batch, Saving what, std::function<void()> committed);
  void not_awaited(Saving what, uint64_t since_ns, std::function<void()> committed);
  [[nodiscard]] std::optional<FrameNumber> newest_snapshot(int& slot) const;
  void check_waiters();
  [[nodiscard]] BeginWith restart_source() const;

  ArenaServices services_;
  ArenaRecord record_;
  GameVersions* versions_;  // nullptr: the configuration does not know the game any more
  GameTemplate* game_;      // the version that it runs, or begins with
  ArenaLifecycle lifecycle_;
  Board board_;
  ChannelRoster channels_;
  KeptArena kept_;
  std::vector<ArenaAttachment> attachments_;
  uint32_t max_players_ = limits::kMaxSeats;

  std::unique_ptr<ChildProcess> worker_;
  std::optional<IncarnationView> starting_;  // of the worker, until it goes live
  std::optional<IncarnationView> lived_;
  std::optional<WorkerEnd> announced_end_;  // what the worker said before it ended
  uint64_t incarnation_serial_ = 0;         // tells late answers from expected ones
  bool draining_ = false;
  bool shutting_down_ = false;
  bool recovers_to_finish_ = false;  // because of that
  bool is_shut_down_as_it_is_ = false;
  bool has_died_ = false;  // since it was live last

  OutputLog output_log_;  // of its workers
  uint64_t next_output_look_ns_ = 0;
  HangDetector hang_;             // of worker_
  CpuUse cpu_;                    // the same
  uint64_t slow_seen_ = 0;        // slow frames of worker_ that have been written down
  bool was_passed_over_ = false;  // by watch_worker(), which looks at calm ones every other time
  bool slow_asked_ = false;       // it has been asked for one, which has not been written down
  std::string ended_by_arenad_;   // why worker_ was told to abort
  PoisonWatch poison_;
  Quarantine quarantine_;
  struct WaitingRetry {
    QuarantineRecord record;
    RetryAnswer answer;
  };
  std::map<uint64_t, WaitingRetry> retries_;
  std::map<uint64_t, WaitingSignal> signals_;
  uint64_t last_signal_ = 0;
  struct ChangeOfCode {
    Handover progress;
    GameTemplate* from;
    GameTemplate* to;
    std::optional<IncarnationView> origin;  // the region of the incarnation that has handed over, on probation
    HandoverNotice tell;
  };
  std::optional<ChangeOfCode> handover_;
  struct UntoldFailure {
    CodeHash code;
    std::string why;
  };
  std::optional<UntoldFailure> untold_failure_;
  uint64_t last_crash_ = 0;
  std::optional<IncidentRecord> unrecovered_;  // of the last death, until the next worker is live: its recovery is added then

  std::optional<FrameNumber> submitted_;  // the newest checkpoint that was given to the store
  FrameNumber durable_;
  bool checkpoints_damaged_ = false;       // there are checkpoints in the database, and none can be read
  bool checkpoints_unread_ = false;        // whether there are any is not known: the disk did not answer
  uint64_t outputs_resumed_from_ = 0;      // where the checkpoint that the arena was resumed from stood
  uint64_t given_since_ns_ = 0;            // the one that was given to the store; 0: none waits
  uint64_t held_since_ns_ = 0;             // a newer one than that, not given to the store yet; 0: none
  std::deque<uint64_t> pending_since_ns_;  // records and results that the store has not taken yet, oldest first
  std::map<Saving, std::function<void()>>
      unawaited_;  // of what the store has not taken, and awaits no more: asked for again when it does
  uint64_t unawaited_since_ns_ = 0;
  OutboxReader results_{limits::kMaxResultBytes};

  std::string last_exit_;
  ErrorCode start_failure_ = ErrorCode::failed;
  uint64_t died_ns_ = 0;
  uint64_t assigned_ns_ = 0;  // to worker_
  uint64_t struck_ns_ = 0;    // when worker_ was last sent a signal that may end it; 0: never
  uint64_t delay_until_ns_ = 0;
  uint64_t drain_until_ns_ = 0;  // 0: no such time
  uint64_t recoveries_ = 0;
  UvTimer delay_;
  UvDeadline deadline_;
  UvTimer kill_deadline_;  // of a worker that was told to abort
  UvTimer drain_deadline_;
  UvDeadline reclaim_deadline_;  // for the clients of an earlier arenad
  struct Waiter {
    std::function<bool(const Arena&)> settled;
    std::function<void()> then;
  };
  std::vector<Waiter> waiters_;
  size_t answering_ = 0;  // waiters that are in the fact queue
  // Completions of the store and answers of a template may come after this object is gone: they hold a weak pointer to this.
  std::shared_ptr<Arena*> self_ = std::make_shared<Arena*>(this);
};

}  // namespace arenad
