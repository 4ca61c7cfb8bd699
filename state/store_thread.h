// The thread that owns the one Store, so that nobody waits for a disk.
//
//   state        what it does                                     leaves it when
//   idle         waits                                            something is submitted
//   committing   one transaction with all that was waiting;       the transaction is done
//                what comes in meanwhile waits for the next
//   backing off  keeps what failed, merges what comes in into     100 ms, doubled up to 5 s, are
//                it, answers queries                              over, or on stop()
//   stopping     commits what waits, in a bounded number of       nothing waits any more; then the
//                tries                                            database is closed
//
// Anybody may submit. Completions never run inside submit() and never on the store thread: they are queued, wake() is called,
// and the loop's thread runs them in run_completions(). Each completion runs once, in the order of its kind.
//
// A transaction that the database refuses for its content is taken apart (salvage.h): what is to blame is dropped, named and counted, and
// everything else is written.
//
// What waits stays bounded while the disk fails: of each arena the newest row and the newest checkpoint, and as many incidents and
// commands as the database would keep. Results and what is in quarantine pile up, because each must be kept, within the rings of their workers
// and limits::kMaxQuarantined. Completions are kept for StoreRetry::most_awaited batches: whoever submits one more is told at once that it is
// not awaited. What is in it waits with the rest all the same.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arenad/result.h"
#include "state/records.h"
#include "state/salvage.h"
#include "state/store.h"
#include "state/waiting_incidents.h"

namespace arenad {

using StoreCompletion = std::function<void(const Result<void>&)>;
using StoreQuery = std::function<void(Store&)>;
using StoreReading = std::function<Result<void>(Store&)>;

struct StoreRetry {
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds longest_delay{5000};
  unsigned tries_when_stopping = 5;
  unsigned tries_of_readings = 10;  // 21 s with these delays
  size_t most_awaited = 100'000;
};

enum class Drain {
  commit_queued,  // everything that was submitted is tried
  drop_queued,    // what is not being committed now is refused
};

struct StoreHealth {
  // Since when every commit has failed (monotonic_ns); nothing when the last one succeeded.
  std::optional<uint64_t> failing_since_ns;
  Error last_error;  // of the last failed commit, kept after it has healed
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  uint64_t skipped_rows = 0;  // damaged ones, met while reading
  // When this changes, another file took the database's place: submit again all that must be durable.
  uint64_t replacements = 0;
  size_t waiting_batches = 0;      // submitted, and neither durable nor refused
  uint64_t refused_records = 0;    // that the database has not taken for their content, while it took others
  uint64_t unawaited_batches = 0;  // that were too many to be awaited
};

// The content of the next transaction: later batches laid over earlier ones, with the effect that one transaction for each
// would have had, except that a checkpoint which a newer one of its arena overtakes is never written.
class WaitingWrites {
 public:
  void merge(StoreBatch later);
  [[nodiscard]] StoreBatch take();

 private:
  std::set<ArenaId> forgotten_;
  std::map<ArenaId, ArenaRecord> arenas_;
  std::map<ArenaId, CheckpointRecord> checkpoints_;
  std::map<std::string, GameRecord> games_;
  std::map<std::string, RolloutRecord> rollouts_;  // by game
  std::map<std::pair<uint64_t, ArenaId>, RolloutArenaRecord> rollout_arenas_;
  std::vector<ResultRecord> results_;
  std::map<ArenaId, ResultArenaRecord> result_arenas_;
  std::map<std::pair<std::string, std::string>, ResultVersionRecord> result_versions_;  // by game and code
  WaitingIncidents incidents_;
  WaitingQuarantine quarantine_;
  std::map<uint64_t, CommandRecord> commands_;     // the newest, as many as are kept
  std::map<uint64_t, LifecycleRecord> lifecycle_;  // the same
};

class StoreThread {
 public:
  // wake tells the loop that completions, notices or a change of health are there to be fetched. It is called from the store
  // thread and from submitters, not after stop(), and may not call back into this object (uv_async_send is what it is for).
  StoreThread(Store store, std::function<void()> wake, const StoreRetry& retry = {});
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;
  ~StoreThread();  // stop(Drain::commit_queued); completions that nobody has run by then never run

  // ok: the batch, or something newer of the same arena, is durable. invalid: a record of it could never be stored, and did not hold up the
  // others. exhausted: it is not awaited, as too many are, and will be tried. refused: not tried any more, because of stop(). Any other
  // error: the last try before the end failed thus. After these three it is unknown whether the batch is there. An empty batch completes
  // with all that was submitted before it.
  void submit(StoreBatch batch, StoreCompletion completion);
  struct Submission {
    StoreBatch batch;
    StoreCompletion completion;
  };
  // In one transaction; each is told what became of it.
  void submit_together(std::vector<Submission> submissions);
  // Runs the query on the store thread after the batches submitted before it have been tried; while the store is failing it
  // runs at once. The completion gets ok if the query ran and refused if the thread was stopped first.
  void submit_query(StoreQuery on_store_thread, StoreCompletion completion);
  // A query whose failure would cost an arena its state: one that fails is run again after the same delays as a commit, and may so run several
  // times. The completion gets the error of the last of StoreRetry::tries_of_readings, or of the one during which stop() was called.
  void submit_reading(StoreReading on_store_thread, StoreCompletion completion);

  // On the loop's thread. Also after stop(), for what finished last.
  void run_completions();

  [[nodiscard]] StoreHealth health() const;
  // What the operator must hear of, since the last call.
  std::vector<std::string> take_notices();

  // Returns when the database is closed. Further submissions are refused.
  void stop(Drain drain);

 private:
  enum class Phase { running, draining, dropping, stopped };
  struct Query {
    StoreReading run;
    StoreCompletion completion;
    unsigned tries_left;
    std::chrono::milliseconds delay;  // after the next failure
    uint64_t due_ns = 0;
  };
  struct Finished {
    StoreCompletion completion;
    Result<void> result;
  };
  struct Awaited {
    StoreCompletion completion;
    std::vector<RowKey> rows;  // of its batch
  };
  using Lock = std::unique_lock<std::mutex>;

  // The thread's. Each is called with the lock held, and gives it up around what takes time.
  void run();
  bool wait_for_work(Lock& lock);
  void wait_for_change(Lock& lock);
  [[nodiscard]] bool commit_is_due() const;
  [[nodiscard]] std::optional<uint64_t> next_query_ns() const;
  std::vector<Query> take_due_queries();
  void commit_waiting(Lock& lock);
  void keep_for_later(StoreBatch batch, std::vector<Awaited> awaited, const Error& error);
  void note_refused(const std::vector<RefusedRecord>& refused);
  // With the lock held; whether finished_ has something that the loop must be woken for.
  bool enqueue(Submission submission);
  void enqueue(Query query);
  void run_queries(Lock& lock, std::vector<Query> queries);
  void refuse_waiting();
  void observe_store();

  void finish(std::vector<Awaited> awaited, const Result<void>& result);
  [[nodiscard]] Result<void> outcome_of(const Awaited& awaited) const;
  void wake_without(Lock& lock);

  const std::function<void()> wake_;
  const StoreRetry retry_;
  std::optional<Store> store_;  // the store thread's alone

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  Phase phase_ = Phase::running;
  WaitingWrites waiting_;
  std::vector<Awaited> awaited_;     // of the batches in waiting_
  std::map<RowKey, Error> refused_;  // of those, by the database
  std::set<RowKey> told_refusals_;   // the operator has heard of them: no more than kMostTold
  std::vector<Query> queries_;
  std::vector<Finished> finished_;
  std::vector<std::string> notices_;
  StoreHealth health_;
  std::chrono::milliseconds delay_;
  std::optional<uint64_t> retry_at_ns_;  // only while backing off
  unsigned tries_left_ = 0;              // only while stopping

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace arenad
