// The thread that owns the store: what is merged, what is retried, what completes when, and how it
// stops.
#include "state/store_thread.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <semaphore>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "tests/support/temporary_folder.h"
#include "tests/support/why_not.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = n};
}

ArenaRecord arena_of(uint64_t n, uint64_t epoch = 1) {
  ArenaRecord arena;
  arena.id = id_of(n);
  arena.name = "arena-" + std::to_string(n);
  arena.epoch = epoch;
  return arena;
}

CheckpointRecord checkpoint_of(uint64_t n, uint64_t epoch, uint64_t frame) {
  return {
      .arena = id_of(n), .epoch = {epoch}, .frame = {frame}, .taken_unix_ms = 0, .bytes = "snapshot " + std::to_string(frame)};
}

ResultRecord result_of(uint64_t n, uint64_t sequence) {
  ResultRecord result;
  result.arena = id_of(n);
  result.sequence = sequence;
  result.bytes = "result";
  return result;
}

StoreBatch step_of(uint64_t n, uint64_t step) {
  return {
      .forgotten = {}, .arenas = {arena_of(n)}, .checkpoints = {checkpoint_of(n, 1, step)}, .results = {result_of(n, step)}};
}

StoreBatch forgetting(uint64_t n) {
  StoreBatch batch;
  batch.forgotten = {id_of(n)};
  return batch;
}

Store open_well(const std::string& path) {
  Result<Store::Opened> opened = Store::open(path, {.busy_timeout = 1ms});
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  return std::move(opened->store);
}

size_t count_of_results(Store& store, uint64_t n) {
  const auto results = store.results(id_of(n));
  REQUIRE(results.ok());
  return results.value().size();
}

// Another process's write lock on the database.
class WriteLock {
 public:
  explicit WriteLock(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  ~WriteLock() { release(); }
  void release() {
    sqlite3_close(db_);
    db_ = nullptr;
  }

 private:
  sqlite3* db_ = nullptr;
};

// The loop's side: sleeps until it is woken, as a libuv loop does.
class Loop {
 public:
  std::function<void()> wake() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++wakes_;
      woken_.notify_one();
    };
  }
  template <class Holds>
  void run_until(StoreThread& store, Holds holds) {
    while (true) {
      store.run_completions();
      if (holds()) return;
      std::unique_lock lock(mutex_);
      // Only a test that hangs ever waits that long.
      REQUIRE(woken_.wait_for(lock, 60s, [this] { return wakes_ > 0; }));
      wakes_ = 0;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  uint64_t wakes_ = 0;
};

// Completions in the order in which they ran.
class Outcomes {
 public:
  StoreCompletion next() {
    const size_t number = submitted_++;
    return [this, number](const Result<void>& result) {
      order_.push_back(number);
      results_.push_back(result);
    };
  }
  [[nodiscard]] size_t count() const { return results_.size(); }
  [[nodiscard]] const Result<void>& at(size_t i) const { return results_.at(i); }
  [[nodiscard]] bool all_ok() const {
    for (const Result<void>& each : results_) {
      if (!each) return false;
    }
    return results_.size() == submitted_;
  }
  [[nodiscard]] bool in_order() const { return std::is_sorted(order_.begin(), order_.end()); }

 private:
  size_t submitted_ = 0;
  std::vector<size_t> order_;
  std::vector<Result<void>> results_;
};

// Keeps the store thread in a query until it is let go.
class Hold {
 public:
  explicit Hold(StoreThread& store) {
    store.submit_query(
        [gates = gates_](Store&) {
          gates->entered.release();
          gates->leave.acquire();
        },
        {});
    gates_->entered.acquire();
  }
  void let_go() { gates_->leave.release(); }

 private:
  struct Gates {
    std::binary_semaphore entered{0};
    std::binary_semaphore leave{0};
  };
  // Shared with the query, which may leave after this is gone.
  std::shared_ptr<Gates> gates_ = std::make_shared<Gates>();
};

const StoreRetry kSoon{.first_delay = 1ms, .longest_delay = 4ms, .tries_when_stopping = 3};

}  // namespace

// ---- What waits ----

TEST_CASE("waiting writes: nothing, and nothing twice") {
  WaitingWrites waiting;
  CHECK(waiting.take().empty());
  waiting.merge({});
  CHECK(waiting.take().empty());
  waiting.merge(step_of(1, 1));
  CHECK_FALSE(waiting.take().empty());
  CHECK(waiting.take().empty());
}

TEST_CASE("waiting writes: of each arena the newest row and checkpoint, and all results") {
  WaitingWrites waiting;
  for (uint64_t step = 1; step <= 100; ++step) {
    StoreBatch batch = step_of(1, step);
    batch.arenas[0].epoch = step;
    waiting.merge(std::move(batch));
  }
  waiting.merge(step_of(2, 7));
  const StoreBatch batch = waiting.take();
  CHECK(batch.arenas == std::vector<ArenaRecord>{arena_of(1, 100), arena_of(2)});
  CHECK(batch.checkpoints == std::vector<CheckpointRecord>{checkpoint_of(1, 1, 100), checkpoint_of(2, 1, 7)});
  CHECK(batch.results.size() == 101);
}

TEST_CASE("waiting writes: an older checkpoint that comes later does not replace a newer one") {
  WaitingWrites waiting;
  StoreBatch batch;
  batch.checkpoints = {checkpoint_of(1, 2, 5), checkpoint_of(1, 2, 4), checkpoint_of(1, 1, 9)};
  waiting.merge(batch);
  CHECK(waiting.take().checkpoints == std::vector<CheckpointRecord>{checkpoint_of(1, 2, 5)});
}

TEST_CASE("waiting writes: forgetting takes away what came before, not what comes after") {
  WaitingWrites waiting;
  waiting.merge(step_of(1, 1));
  waiting.merge(step_of(2, 1));
  waiting.merge(forgetting(1));
  StoreBatch batch = waiting.take();
  CHECK(batch.forgotten == std::vector<ArenaId>{id_of(1)});
  CHECK(batch.arenas == std::vector<ArenaRecord>{arena_of(2)});
  CHECK(batch.checkpoints == std::vector<CheckpointRecord>{checkpoint_of(2, 1, 1)});
  CHECK(batch.results.size() == 2);

  waiting.merge(forgetting(1));
  waiting.merge(step_of(1, 3));
  batch = waiting.take();
  CHECK(batch.forgotten == std::vector<ArenaId>{id_of(1)});
  CHECK(batch.arenas == std::vector<ArenaRecord>{arena_of(1)});
  CHECK(batch.checkpoints == std::vector<CheckpointRecord>{checkpoint_of(1, 1, 3)});
}

// ---- Committing ----

TEST_CASE("store thread: started and stopped with nothing to do") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  store.run_completions();
  const StoreHealth health = store.health();
  CHECK(health.commits == 0);
  CHECK(health.waiting_batches == 0);
  CHECK_FALSE(health.failing_since_ns);
}

TEST_CASE("store thread: a completion runs on the loop's thread, and only when it is asked for") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  std::thread::id ran_on;
  std::thread::id queried_on;
  store.submit(step_of(1, 1), [&](const Result<void>& result) {
    CHECK(result.ok());
    ran_on = std::this_thread::get_id();
  });
  store.submit_query([&](Store&) { queried_on = std::this_thread::get_id(); }, {});
  loop.run_until(store, [&] { return ran_on != std::thread::id(); });
  CHECK(ran_on == std::this_thread::get_id());
  store.stop(Drain::commit_queued);
  CHECK(queried_on != std::thread::id());
  CHECK(queried_on != std::this_thread::get_id());
}

TEST_CASE("store thread: a completion may submit again") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  uint64_t step = 1;
  StoreCompletion next = [&](const Result<void>& result) {
    CHECK(result.ok());
    if (++step <= 10) store.submit(step_of(1, step), next);
  };
  store.submit(step_of(1, 1), next);
  loop.run_until(store, [&] { return step > 10; });
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  CHECK(count_of_results(after, 1) == 10);
}

TEST_CASE("store thread: what is submitted during a commit shares the next one") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  Outcomes outcomes;
  Hold hold(store);
  for (uint64_t n = 1; n <= 50; ++n) store.submit(step_of(n % 5 + 1, n), outcomes.next());
  CHECK(store.health().waiting_batches == 50);
  CHECK(store.health().commits == 0);
  hold.let_go();
  loop.run_until(store, [&] { return outcomes.count() == 50; });
  CHECK(outcomes.all_ok());
  CHECK(outcomes.in_order());
  CHECK(store.health().commits == 1);
  CHECK(store.health().waiting_batches == 0);
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  CHECK(after.arenas().value().size() == 5);
  CHECK(after.checkpoints(id_of(1)).value() == std::vector<CheckpointRecord>{checkpoint_of(1, 1, 50)});
  CHECK(count_of_results(after, 1) == 10);
}

TEST_CASE("store thread: an empty batch completes after what came before it") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  store.submit({}, outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == 2; });
  CHECK(outcomes.all_ok());
  CHECK(outcomes.in_order());
}

TEST_CASE("store thread: an invalid batch is refused alone") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  Outcomes good;
  Outcomes bad;
  Hold hold(store);
  store.submit(step_of(1, 1), good.next());
  StoreBatch invalid = step_of(2, 1);
  invalid.arenas[0].id = {};
  store.submit(invalid, bad.next());
  store.submit(step_of(3, 1), good.next());
  CHECK(bad.count() == 0);
  hold.let_go();
  loop.run_until(store, [&] { return good.count() == 2 && bad.count() == 1; });
  CHECK(good.all_ok());
  CHECK(bad.at(0).error().code == ErrorCode::invalid);
  CHECK(store.health().failed_commits == 0);
}

TEST_CASE("store thread: many threads submit") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kSteps = 50;
  std::atomic<uint64_t> completed = 0;
  std::vector<std::thread> submitters;
  for (uint64_t n = 1; n <= kThreads; ++n) {
    submitters.emplace_back([&, n] {
      for (uint64_t step = 1; step <= kSteps; ++step) {
        store.submit(step_of(n, step), [&](const Result<void>& result) { completed += result.ok() ? 1 : 0; });
        if (step % 10 == 0) store.submit_query([](Store& each) { (void)each.arenas(); }, {});
        if (step % 7 == 0) (void)store.health();
      }
    });
  }
  loop.run_until(store, [&] { return completed == kThreads * kSteps; });
  for (std::thread& each : submitters) each.join();
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  for (uint64_t n = 1; n <= kThreads; ++n) CHECK(count_of_results(after, n) == kSteps);
}

// ---- Queries ----

TEST_CASE("store thread: a query sees the batches submitted before it") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  std::vector<size_t> seen;
  size_t completed = 0;
  for (uint64_t step = 1; step <= 20; ++step) {
    store.submit(step_of(1, step), {});
    store.submit_query([&](Store& each) { seen.push_back(count_of_results(each, 1)); },
                       [&](const Result<void>& result) { completed += result.ok() ? 1 : 0; });
  }
  loop.run_until(store, [&] { return completed == 20; });
  for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] >= i + 1);
}

TEST_CASE("store thread: a reading that fails is tried again until it can be done, and others do not wait for it") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), {.first_delay = 1ms, .longest_delay = 4ms, .tries_of_readings = 5});
  unsigned tries = 0;
  bool is_other_done = false;
  Outcomes outcomes;
  store.submit_reading(
      [&](Store&) {
        return ++tries < 5 ? Result<void>(make_error(ErrorCode::failed, "try " + std::to_string(tries))) : Result<void>();
      },
      outcomes.next());
  store.submit(step_of(1, 1), [&](const Result<void>& result) { is_other_done = result.ok(); });
  loop.run_until(store, [&] { return outcomes.count() == 1 && is_other_done; });
  CHECK(outcomes.all_ok());
  CHECK(tries == 5);

  tries = 0;
  store.submit_reading([&](Store&) { return Result<void>(make_error(ErrorCode::failed, "try " + std::to_string(++tries))); },
                       outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == 2; });
  CHECK(tries == 5);
  CHECK(outcomes.at(1).error().message == "try 5");
}

TEST_CASE("store thread: a reading that waits for its next try gets one more when the thread is stopped") {
  for (const Drain drain : {Drain::commit_queued, Drain::drop_queued}) {
    TemporaryFolder folder;
    Loop loop;
    StoreThread store(open_well(folder.file()), loop.wake(), {.first_delay = 1h, .longest_delay = 1h});
    std::atomic<unsigned> tries = 0;
    Outcomes outcomes;
    store.submit_reading([&](Store&) { return ++tries, Result<void>(make_error(ErrorCode::failed, "a sick disk")); },
                         outcomes.next());
    bool is_first_over = false;
    store.submit_query([](Store&) {}, [&](const Result<void>&) { is_first_over = true; });
    loop.run_until(store, [&] { return is_first_over; });
    CHECK(outcomes.count() == 0);
    store.stop(drain);
    store.run_completions();
    REQUIRE(outcomes.count() == 1);
    CHECK(tries == (drain == Drain::commit_queued ? 2 : 1));
    CHECK(outcomes.at(0).error().code == (drain == Drain::commit_queued ? ErrorCode::failed : ErrorCode::refused));
  }
}

TEST_CASE("store thread: damaged rows that a query meets are counted and noticed") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  bool is_written = false;
  store.submit(step_of(1, 1), [&](const Result<void>&) { is_written = true; });
  loop.run_until(store, [&] { return is_written; });
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
  REQUIRE(sqlite3_exec(raw, "UPDATE checkpoints SET checksum = 0", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(raw);
  bool is_read = false;
  store.submit_query([](Store& each) { (void)each.checkpoints(id_of(1)); }, [&](const Result<void>&) { is_read = true; });
  loop.run_until(store, [&] { return is_read; });
  CHECK(store.health().skipped_rows == 1);
  CHECK(store.take_notices().size() == 1);
  CHECK(store.take_notices().empty());
}

// ---- Failing and healing ----

TEST_CASE(
    "store thread: while another process holds the lock it fails, answers queries, and then "
    "heals") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  WriteLock other(folder.file());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  loop.run_until(store, [&] { return store.health().failing_since_ns.has_value(); });
  CHECK(store.health().last_error.code == ErrorCode::failed);
  CHECK(store.health().last_error.message.find(folder.file()) != std::string::npos);

  bool is_read = false;
  store.submit_query([](Store& each) { CHECK(each.arenas().value().empty()); }, [&](const Result<void>&) { is_read = true; });
  loop.run_until(store, [&] { return is_read; });
  store.submit(step_of(1, 2), outcomes.next());
  store.submit(step_of(2, 1), outcomes.next());
  CHECK(outcomes.count() == 0);
  CHECK(store.health().waiting_batches == 3);

  other.release();
  loop.run_until(store, [&] { return outcomes.count() == 3; });
  CHECK(outcomes.all_ok());
  CHECK(outcomes.in_order());
  const StoreHealth health = store.health();
  CHECK_FALSE(health.failing_since_ns);
  CHECK(health.failed_commits > 0);
  CHECK(health.replacements == 0);
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  CHECK(count_of_results(after, 1) == 2);
  CHECK(after.arenas().value().size() == 2);
}

TEST_CASE("store thread: what proves impossible to store after a failure ends the backing off") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  Outcomes outcomes;
  StoreBatch batch;
  batch.arenas = {arena_of(1), arena_of(2)};
  store.submit(batch, outcomes.next());
  loop.run_until(store, [&] { return store.health().failing_since_ns.has_value(); });
  // No check of a batch knows of this.
  REQUIRE(sqlite3_exec(other, "CREATE UNIQUE INDEX one_game ON arenas (game); COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  loop.run_until(store, [&] { return outcomes.count() == 1; });
  REQUIRE_FALSE(outcomes.at(0).ok());
  CHECK(outcomes.at(0).error().code == ErrorCode::invalid);

  batch.arenas = {arena_of(3)};
  batch.arenas[0].game = "another";
  store.submit(batch, outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == 2; });
  CHECK(outcomes.at(1).ok());
  CHECK_FALSE(store.health().failing_since_ns);
}

TEST_CASE("store thread: of what the database refuses one record is dropped, and everybody else's is written") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &other) == SQLITE_OK);
  // No check of a batch knows of this.
  REQUIRE(sqlite3_exec(other, "CREATE UNIQUE INDEX no_double ON arenas (name)", nullptr, nullptr, nullptr) == SQLITE_OK);
  Outcomes outcomes;
  constexpr uint64_t kArenas = 20;
  const auto submit_all = [&] {
    Hold hold(store);
    for (uint64_t n = 1; n <= kArenas; ++n) {
      StoreBatch batch = step_of(n, n);
      if (n == 5 || n == 7) batch.arenas[0].name = arena_of(n - 1).name;
      store.submit(std::move(batch), outcomes.next());
    }
    hold.let_go();
    loop.run_until(store, [&] { return outcomes.count() == kArenas; });
  };
  submit_all();
  CHECK(outcomes.in_order());
  for (uint64_t n = 1; n <= kArenas; ++n) {
    CAPTURE(n);
    CHECK(outcomes.at(n - 1).ok() == (n != 5 && n != 7));
  }
  CHECK(outcomes.at(4).error().code == ErrorCode::invalid);
  const StoreHealth health = store.health();
  CHECK(health.refused_records == 2);
  CHECK(health.waiting_batches == 0);
  CHECK_FALSE(health.failing_since_ns);
  const std::vector<std::string> notices = store.take_notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find("the record of arena arena-4 (" + id_of(5).text() + ")") != std::string::npos);
  CHECK(notices[1].find("the record of arena arena-6 (" + id_of(7).text() + ")") != std::string::npos);
  // Each is told of once, however often it comes.
  StoreBatch again;
  again.arenas = {arena_of(5)};
  again.arenas[0].name = arena_of(4).name;
  store.submit(again, outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == kArenas + 1; });
  CHECK_FALSE(outcomes.at(kArenas).ok());
  CHECK(store.take_notices().empty());
  CHECK(store.health().refused_records == 3);
  sqlite3_close(other);
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  CHECK(after.arenas().value().size() == kArenas - 2);
  for (uint64_t n = 1; n <= kArenas; ++n) {
    CAPTURE(n);
    CHECK(count_of_results(after, n) == 1);
    // What belongs to no arena is swept away when the database is opened.
    CHECK(after.checkpoints(id_of(n)).value().size() == (n == 5 || n == 7 ? 0 : 1));
  }
}

TEST_CASE("store thread: no more are awaited than may be; what is in them is written with the rest") {
  TemporaryFolder folder;
  Loop loop;
  StoreRetry retry = kSoon;
  retry.most_awaited = 3;
  StoreThread store(open_well(folder.file()), loop.wake(), retry);
  WriteLock other(folder.file());
  Outcomes awaited;
  Outcomes others;
  for (uint64_t step = 1; step <= 3; ++step) store.submit(step_of(step, 1), awaited.next());
  for (uint64_t step = 4; step <= 9; ++step) store.submit(step_of(step, 1), others.next());
  loop.run_until(store, [&] { return others.count() == 6; });
  for (size_t i = 0; i < 6; ++i) CHECK(others.at(i).error().code == ErrorCode::exhausted);
  CHECK(awaited.count() == 0);
  CHECK(store.health().unawaited_batches == 6);
  CHECK(store.health().waiting_batches == 3);
  other.release();
  loop.run_until(store, [&] { return awaited.count() == 3; });
  CHECK(awaited.all_ok());
  store.submit(step_of(1, 2), awaited.next());
  loop.run_until(store, [&] { return awaited.count() == 4; });
  CHECK(awaited.all_ok());
  store.stop(Drain::commit_queued);
  Store after = open_well(folder.file());
  CHECK(after.arenas().value().size() == 9);
  CHECK(count_of_results(after, 9) == 1);
}

TEST_CASE("store thread: failing since the first failure, not the last") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  WriteLock other(folder.file());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  loop.run_until(store, [&] { return store.health().failing_since_ns.has_value(); });
  const auto since = store.health().failing_since_ns;
  loop.run_until(store, [&] { return store.health().failed_commits >= 4; });
  CHECK(store.health().failing_since_ns == since);
  other.release();
  loop.run_until(store, [&] { return outcomes.count() == 1; });
}

TEST_CASE("store thread: a database deleted in use is begun anew, and the loop is told") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == 1; });
  fs::remove(folder.file());
  store.submit(step_of(2, 1), outcomes.next());
  loop.run_until(store, [&] { return outcomes.count() == 2; });
  CHECK(outcomes.all_ok());
  CHECK(store.health().replacements == 1);
  CHECK_FALSE(store.take_notices().empty());
}

// ---- Stopping ----

TEST_CASE("store thread: stopping commits what waits") {
  TemporaryFolder folder;
  Outcomes outcomes;
  {
    Loop loop;
    StoreThread store(open_well(folder.file()), loop.wake());
    Hold hold(store);
    for (uint64_t step = 1; step <= 20; ++step) store.submit(step_of(1, step), outcomes.next());
    SUBCASE("by stop()") {
      hold.let_go();
      store.stop(Drain::commit_queued);
      store.run_completions();
      CHECK(outcomes.count() == 20);
      CHECK(outcomes.all_ok());
      // Closed, so the whole of it is in the one file.
      CHECK_FALSE(fs::exists(folder.file() + "-wal"));
    }
    SUBCASE("by the destructor") {
      hold.let_go();
    }
  }
  Store after = open_well(folder.file());
  CHECK(count_of_results(after, 1) == 20);
}

TEST_CASE("store thread: stopping without draining refuses what waits") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), {.first_delay = 1h, .longest_delay = 1h});
  WriteLock other(folder.file());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  loop.run_until(store, [&] { return store.health().failing_since_ns.has_value(); });
  store.stop(Drain::drop_queued);
  store.run_completions();
  REQUIRE(outcomes.count() == 1);
  CHECK(outcomes.at(0).error().code == ErrorCode::refused);
  CHECK(store.health().waiting_batches == 0);
}

TEST_CASE("store thread: stopping does not wait for the backing off") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), {.first_delay = 1h, .longest_delay = 1h});
  WriteLock other(folder.file());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  loop.run_until(store, [&] { return store.health().failing_since_ns.has_value(); });
  other.release();
  store.stop(Drain::commit_queued);
  store.run_completions();
  REQUIRE(outcomes.count() == 1);
  CHECK(outcomes.all_ok());
}

TEST_CASE("store thread: stopping gives up after a bounded number of tries") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake(), kSoon);
  WriteLock other(folder.file());
  Outcomes outcomes;
  store.submit(step_of(1, 1), outcomes.next());
  store.submit(step_of(2, 1), outcomes.next());
  store.stop(Drain::commit_queued);
  store.run_completions();
  REQUIRE(outcomes.count() == 2);
  CHECK(outcomes.at(0).error().code == ErrorCode::failed);
  CHECK(outcomes.at(1).error().code == ErrorCode::failed);
  CHECK(store.health().failed_commits >= kSoon.tries_when_stopping);
}

TEST_CASE("store thread: after stopping everything is refused, and stopping again is nothing") {
  TemporaryFolder folder;
  Loop loop;
  StoreThread store(open_well(folder.file()), loop.wake());
  store.stop(Drain::commit_queued);
  store.stop(Drain::drop_queued);
  Outcomes outcomes;
  bool has_run = false;
  store.submit(step_of(1, 1), outcomes.next());
  store.submit_query([&](Store&) { has_run = true; }, outcomes.next());
  CHECK(outcomes.count() == 0);
  store.run_completions();
  REQUIRE(outcomes.count() == 2);
  CHECK(outcomes.at(0).error().code == ErrorCode::refused);
  CHECK(outcomes.at(1).error().code == ErrorCode::refused);
  CHECK_FALSE(has_run);
}
