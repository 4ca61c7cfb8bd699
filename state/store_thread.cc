#include "state/store_thread.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ipc/clock.h"
#include "state/records_check.h"

namespace arenad {
namespace {

constexpr size_t kMaxNotices = 100;
constexpr size_t kMostTold = 100;

bool is_newer(const CheckpointRecord& a, const CheckpointRecord& b) {
  return std::pair(a.epoch, a.frame) > std::pair(b.epoch, b.frame);
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

template <class Key, class Record>
std::vector<Record> values_of(std::map<Key, Record> records) {
  std::vector<Record> values;
  values.reserve(records.size());
  for (auto& [key, record] : records) values.push_back(std::move(record));
  return values;
}

Error stopped_before() {
  return make_error(ErrorCode::refused, "the store was stopped before this was done; the service is going down");
}

Error too_many_awaited() {
  return make_error(
      ErrorCode::exhausted,
      "the database has not taken anything for so long that this is not awaited any more; it is kept in memory and tried");
}

}  // namespace

// ---- WaitingWrites ----

void WaitingWrites::merge(StoreBatch later) {
  incidents_.merge(std::move(later.incidents), std::move(later.recovered));
  quarantine_.merge(later.forgotten, later.unquarantined, std::move(later.quarantined));
  for (const ArenaId id : later.forgotten) {
    forgotten_.insert(id);
    arenas_.erase(id);
    checkpoints_.erase(id);
  }
  for (ArenaRecord& arena : later.arenas) arenas_.insert_or_assign(arena.id, std::move(arena));
  for (CheckpointRecord& checkpoint : later.checkpoints) {
    const auto waiting = checkpoints_.find(checkpoint.arena);
    if (waiting == checkpoints_.end()) {
      checkpoints_.emplace(checkpoint.arena, std::move(checkpoint));
    } else if (!is_newer(waiting->second, checkpoint)) {
      waiting->second = std::move(checkpoint);
    }
  }
  for (GameRecord& game : later.games) games_.insert_or_assign(game.name, std::move(game));
  for (RolloutRecord& rollout : later.rollouts) rollouts_.insert_or_assign(rollout.game, std::move(rollout));
  for (RolloutArenaRecord& arena : later.rollout_arenas) {
    rollout_arenas_.insert_or_assign({arena.rollout, arena.arena}, std::move(arena));
  }
  for (CommandRecord& command : later.commands) commands_.insert_or_assign(command.id, std::move(command));
  while (commands_.size() > kCommandsKept) commands_.erase(commands_.begin());
  for (LifecycleRecord& event : later.lifecycle) lifecycle_.insert_or_assign(event.number, std::move(event));
  while (lifecycle_.size() > kLifecycleEventsKept) lifecycle_.erase(lifecycle_.begin());
  for (ResultArenaRecord& arena : later.result_arenas) result_arenas_.insert_or_assign(arena.arena, std::move(arena));
  for (ResultVersionRecord& version : later.result_versions) {
    ResultVersionRecord& waiting = result_versions_[{version.game, version.code}];
    if (version.types.empty()) version.types = std::move(waiting.types);
    waiting = std::move(version);
  }
  append(results_, std::move(later.results));
}

StoreBatch WaitingWrites::take() {
  StoreBatch batch;
  batch.forgotten.assign(forgotten_.begin(), forgotten_.end());
  batch.arenas = values_of(std::move(arenas_));
  batch.checkpoints = values_of(std::move(checkpoints_));
  batch.games = values_of(std::move(games_));
  batch.rollouts = values_of(std::move(rollouts_));
  batch.rollout_arenas = values_of(std::move(rollout_arenas_));
  batch.commands = values_of(std::move(commands_));
  batch.lifecycle = values_of(std::move(lifecycle_));
  batch.results = std::move(results_);
  batch.result_arenas = values_of(std::move(result_arenas_));
  batch.result_versions = values_of(std::move(result_versions_));
  batch.incidents = incidents_.take();
  batch.recovered = incidents_.take_recovered();
  quarantine_.take(batch);
  *this = WaitingWrites();
  return batch;
}

// ---- Any thread ----

StoreThread::StoreThread(Store store, std::function<void()> wake, const StoreRetry& retry)
    : wake_(std::move(wake)), retry_(retry), store_(std::move(store)), delay_(retry.first_delay), thread_([this] { run(); }) {}

StoreThread::~StoreThread() {
  stop(Drain::commit_queued);
}

void StoreThread::submit(StoreBatch batch, StoreCompletion completion) {
  std::vector<Submission> alone;
  alone.push_back({std::move(batch), std::move(completion)});
  submit_together(std::move(alone));
}

void StoreThread::submit_together(std::vector<Submission> submissions) {
  Lock lock(mutex_);
  bool is_any_finished = false;
  for (Submission& submission : submissions) is_any_finished |= enqueue(std::move(submission));
  changed_.notify_one();
  if (is_any_finished) wake_without(lock);
}

bool StoreThread::enqueue(Submission submission) {
  // Checked alone, so that it cannot spoil the transaction that it would share with others.
  Result<void> checked = check_batch(submission.batch);
  if (checked && phase_ != Phase::running) checked = stopped_before();
  if (!checked) {
    finished_.push_back({std::move(submission.completion), checked});
    return true;
  }
  std::vector<RowKey> rows = rows_of(submission.batch);
  // Something newer may be taken.
  for (const RowKey& row : rows) refused_.erase(row);
  waiting_.merge(std::move(submission.batch));
  if (health_.waiting_batches >= retry_.most_awaited) {
    ++health_.unawaited_batches;
    finished_.push_back({std::move(submission.completion), too_many_awaited()});
    return true;
  }
  awaited_.push_back({std::move(submission.completion), std::move(rows)});
  ++health_.waiting_batches;
  return false;
}

void StoreThread::submit_query(StoreQuery on_store_thread, StoreCompletion completion) {
  auto run = [query = std::move(on_store_thread)](Store& store) {
    query(store);
    return Result<void>();
  };
  enqueue({std::move(run), std::move(completion), 1, retry_.first_delay});
}

void StoreThread::submit_reading(StoreReading on_store_thread, StoreCompletion completion) {
  enqueue({std::move(on_store_thread), std::move(completion), std::max(1U, retry_.tries_of_readings), retry_.first_delay});
}

void StoreThread::enqueue(Query query) {
  Lock lock(mutex_);
  if (phase_ != Phase::running) {
    finished_.push_back({std::move(query.completion), stopped_before()});
    return wake_without(lock);
  }
  queries_.push_back(std::move(query));
  changed_.notify_one();
}

StoreHealth StoreThread::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

std::vector<std::string> StoreThread::take_notices() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notices_, {});
}

// ---- The loop's thread ----

void StoreThread::run_completions() {
  Lock lock(mutex_);
  std::vector<Finished> finished = std::exchange(finished_, {});
  lock.unlock();
  // Without the lock: a completion may submit again.
  for (const Finished& each : finished) {
    if (each.completion) each.completion(each.result);
  }
}

void StoreThread::stop(Drain drain) {
  if (!thread_.joinable()) return;
  Lock lock(mutex_);
  phase_ = drain == Drain::commit_queued ? Phase::draining : Phase::dropping;
  tries_left_ = std::max(1U, retry_.tries_when_stopping);
  // What is backing off is tried at once.
  delay_ = retry_.first_delay;
  retry_at_ns_.reset();
  for (Query& query : queries_) query.due_ns = 0;
  changed_.notify_one();
  lock.unlock();
  thread_.join();
  lock.lock();
  phase_ = Phase::stopped;
}

// ---- The store thread ----

void StoreThread::run() {
  Lock lock(mutex_);
  while (wait_for_work(lock)) {
    // Taken before the commit, so that each query sees the batches submitted before it.
    std::vector<Query> queries = take_due_queries();
    if (commit_is_due()) commit_waiting(lock);
    run_queries(lock, std::move(queries));
  }
  refuse_waiting();
  lock.unlock();
  store_.reset();
}

// False when there is nothing left to do before the end.
bool StoreThread::wait_for_work(Lock& lock) {
  while (phase_ != Phase::dropping) {
    const std::optional<uint64_t> query_ns = next_query_ns();
    if ((query_ns && monotonic_ns() >= *query_ns) || commit_is_due()) return true;
    if (phase_ == Phase::draining && awaited_.empty()) return false;
    wait_for_change(lock);
  }
  return false;
}

// Until something is submitted, the backing off is over, or stop() is called; may also return for nothing.
void StoreThread::wait_for_change(Lock& lock) {
  std::optional<uint64_t> until = next_query_ns();
  if (retry_at_ns_) until = std::min(until.value_or(*retry_at_ns_), *retry_at_ns_);
  if (!until) return changed_.wait(lock);
  const uint64_t now = monotonic_ns();
  if (now < *until) changed_.wait_for(lock, std::chrono::nanoseconds(*until - now));
}

std::optional<uint64_t> StoreThread::next_query_ns() const {
  std::optional<uint64_t> next;
  for (const Query& query : queries_) next = std::min(next.value_or(query.due_ns), query.due_ns);
  return next;
}

std::vector<StoreThread::Query> StoreThread::take_due_queries() {
  const uint64_t now = monotonic_ns();
  const auto later =
      std::stable_partition(queries_.begin(), queries_.end(), [&](const Query& query) { return query.due_ns <= now; });
  std::vector<Query> due(std::make_move_iterator(queries_.begin()), std::make_move_iterator(later));
  queries_.erase(queries_.begin(), later);
  return due;
}

bool StoreThread::commit_is_due() const {
  if (awaited_.empty()) return false;
  return !retry_at_ns_ || monotonic_ns() >= *retry_at_ns_;
}

void StoreThread::commit_waiting(Lock& lock) {
  StoreBatch batch = waiting_.take();
  std::vector<Awaited> awaited = std::exchange(awaited_, {});
  lock.unlock();
  Result<void> committed = store_->commit(batch);
  Salvaged salvaged;
  if (!committed && committed.error().code == ErrorCode::invalid) {
    salvaged = salvage(std::move(batch), [this](const StoreBatch& part) { return store_->commit(part); });
    batch = std::move(salvaged.left);
    committed = salvaged.failure ? Result<void>(*salvaged.failure) : Result<void>();
  }
  lock.lock();
  observe_store();
  note_refused(salvaged.refused);
  if (committed) {
    ++health_.commits;
    health_.failing_since_ns.reset();
    delay_ = retry_.first_delay;
    retry_at_ns_.reset();
    finish(std::move(awaited), committed);
  } else {
    keep_for_later(std::move(batch), std::move(awaited), committed.error());
  }
  wake_without(lock);
}

void StoreThread::note_refused(const std::vector<RefusedRecord>& refused) {
  if (refused.empty()) return;
  ++health_.failed_commits;
  health_.last_error = refused.back().error;
  health_.refused_records += refused.size();
  for (const RefusedRecord& one : refused) {
    refused_.insert_or_assign(one.row, one.error);
    const bool is_new = told_refusals_.size() < kMostTold && told_refusals_.insert(one.row).second;
    if (!is_new || notices_.size() >= kMaxNotices) continue;
    notices_.push_back("the database refuses " + one.what + ": it is not stored, everything else is: " + one.error.text());
  }
}

void StoreThread::keep_for_later(StoreBatch batch, std::vector<Awaited> awaited, const Error& error) {
  const uint64_t now = monotonic_ns();
  ++health_.failed_commits;
  health_.last_error = error;
  if (!health_.failing_since_ns) health_.failing_since_ns = now;
  if (phase_ == Phase::draining && --tries_left_ == 0) {
    return finish(std::move(awaited), error);
  }
  WaitingWrites kept;
  kept.merge(std::move(batch));
  kept.merge(waiting_.take());
  waiting_ = std::move(kept);
  append(awaited, std::exchange(awaited_, {}));
  awaited_ = std::move(awaited);
  retry_at_ns_ = now + static_cast<uint64_t>(std::chrono::nanoseconds(delay_).count());
  delay_ = std::min(2 * delay_, retry_.longest_delay);
}

void StoreThread::run_queries(Lock& lock, std::vector<Query> queries) {
  if (queries.empty()) return;
  std::vector<Result<void>> results;
  lock.unlock();
  for (const Query& query : queries) results.push_back(query.run(*store_));
  lock.lock();
  observe_store();
  const uint64_t now = monotonic_ns();
  for (size_t i = 0; i < queries.size(); ++i) {
    Query& query = queries[i];
    if (results[i] || --query.tries_left == 0 || phase_ != Phase::running) {
      finished_.push_back({std::move(query.completion), results[i]});
      continue;
    }
    query.due_ns = now + static_cast<uint64_t>(std::chrono::nanoseconds(query.delay).count());
    query.delay = std::min(2 * query.delay, retry_.longest_delay);
    queries_.push_back(std::move(query));
  }
  wake_without(lock);
}

// Nothing waits here unless the thread was stopped without draining.
void StoreThread::refuse_waiting() {
  finish(std::exchange(awaited_, {}), stopped_before());
  for (Query& query : std::exchange(queries_, {})) {
    finished_.push_back({std::move(query.completion), stopped_before()});
  }
}

void StoreThread::observe_store() {
  health_.skipped_rows = store_->skipped_rows();
  health_.replacements = store_->replacements();
  // Whoever never fetches them loses the later ones.
  if (notices_.size() < kMaxNotices) append(notices_, store_->take_notices());
}

void StoreThread::finish(std::vector<Awaited> awaited, const Result<void>& result) {
  health_.waiting_batches -= awaited.size();
  for (Awaited& each : awaited) {
    Result<void> outcome = result ? outcome_of(each) : result;
    finished_.push_back({std::move(each.completion), std::move(outcome)});
  }
  refused_.clear();
}

Result<void> StoreThread::outcome_of(const Awaited& awaited) const {
  if (refused_.empty()) return {};
  for (const RowKey& row : awaited.rows) {
    if (const auto found = refused_.find(row); found != refused_.end()) return found->second;
  }
  return {};
}

void StoreThread::wake_without(Lock& lock) {
  if (phase_ == Phase::stopped) return;
  lock.unlock();
  wake_();
  lock.lock();
}

}  // namespace arenad
