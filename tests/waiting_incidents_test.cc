// Incidents and quarantine that wait for the disk: bounded, and merged with the effect of one transaction for each batch.
#include "state/waiting_incidents.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "ipc/limits.h"
#include "state/store_thread.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/why_not.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using namespace std::chrono_literals;

constexpr auto kAll = IncidentScope::deaths_and_slow_frames;

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = n};
}

IncidentRecord incident_of(uint64_t n, uint64_t id, IncidentKind kind = IncidentKind::crash) {
  return {.id = id, .arena = id_of(n), .epoch = {1}, .frame = {id}, .kind = kind, .at_unix_ms = 0, .report = "report"};
}

// Event k of arena n, in quarantine under this id.
QuarantineRecord event_of(uint64_t n, uint64_t id, uint64_t k) {
  QuarantineRecord entry;
  entry.id = id;
  entry.arena = id_of(n);
  entry.channel = {1};
  entry.sequence = k;
  entry.bytes = "event " + std::to_string(k);
  return entry;
}

StoreBatch quarantining(std::vector<QuarantineRecord> entries) {
  StoreBatch batch;
  batch.quarantined = std::move(entries);
  return batch;
}

StoreBatch releasing(std::vector<uint64_t> ids) {
  StoreBatch batch;
  batch.unquarantined = std::move(ids);
  return batch;
}

StoreBatch forgetting(uint64_t n) {
  StoreBatch batch;
  batch.forgotten = {id_of(n)};
  return batch;
}

template <class Record>
std::vector<uint64_t> ids_of(const std::vector<Record>& records) {
  std::vector<uint64_t> ids;
  for (const Record& record : records) ids.push_back(record.id);
  return ids;
}

Store open_well(const std::string& path) {
  Result<Store::Opened> opened = Store::open(path, {.busy_timeout = 1ms});
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  return std::move(opened->store);
}

template <class T>
T well(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
  return std::move(*result);
}

void well(const Result<void>& result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
}

std::vector<IncidentRecord> all_incidents(Store& store) {
  return well(store.incidents({}, kAll, SIZE_MAX));
}

// Whatever waits goes back into an empty WaitingWrites, as after a commit that failed.
void fail_a_commit(WaitingWrites& waiting) {
  WaitingWrites kept;
  kept.merge(waiting.take());
  waiting = std::move(kept);
}

}  // namespace

// ---- Incidents ----

TEST_CASE("waiting incidents: nothing, and nothing twice") {
  WaitingIncidents waiting;
  CHECK(waiting.take().empty());
  waiting.merge({});
  CHECK(waiting.take().empty());
  waiting.merge({incident_of(1, 1)});
  CHECK(waiting.take() == std::vector<IncidentRecord>{incident_of(1, 1)});
  CHECK(waiting.take().empty());
}

TEST_CASE("waiting incidents: a completed report is laid over the one that waits, or waits for the one in the database") {
  WaitingIncidents waiting;
  const auto completed = [](uint64_t n, uint64_t id) {
    IncidentRecord incident = incident_of(n, id);
    incident.report = "completed";
    return incident;
  };
  waiting.merge({incident_of(1, 1), incident_of(1, 2)}, {completed(1, 2), completed(1, 3)});
  waiting.merge({}, {completed(2, 1)});  // another one's number
  CHECK(waiting.take() == std::vector<IncidentRecord>{incident_of(1, 1), completed(1, 2)});
  CHECK(waiting.take_recovered() == std::vector<IncidentRecord>{completed(1, 3)});
  CHECK(waiting.take_recovered().empty());
  std::vector<IncidentRecord> many;
  for (uint64_t id = 1; id <= limits::kMaxIncidents + 1; ++id) many.push_back(completed(1, id));
  waiting.merge({}, std::move(many));
  const std::vector<IncidentRecord> kept = waiting.take_recovered();
  REQUIRE(kept.size() == limits::kMaxIncidents);
  CHECK(kept.front().id == 2);
}

TEST_CASE("waiting incidents: as many of each arena as the database would keep") {
  WaitingIncidents waiting;
  uint64_t id = 0;
  constexpr size_t kMost = limits::kMaxDeathsOfArena;
  waiting.merge({incident_of(2, ++id)});
  for (size_t i = 0; i < kMost; ++i) waiting.merge({incident_of(1, ++id)});
  SUBCASE("the limit") {
    CHECK(waiting.take().size() == 1 + kMost);
  }
  SUBCASE("and one") {
    waiting.merge({incident_of(1, ++id)});
    const std::vector<uint64_t> ids = ids_of(waiting.take());
    REQUIRE(ids.size() == 1 + kMost);
    CHECK(ids[0] == 1);
    CHECK(ids[1] == 3);
    CHECK(ids.back() == id);
  }
  SUBCASE("slow frames push out none of them") {
    for (size_t i = 0; i < 3 * limits::kMaxSlowOfArena; ++i) waiting.merge({incident_of(1, ++id, IncidentKind::slow)});
    const std::vector<IncidentRecord> taken = waiting.take();
    CHECK(taken.size() == 1 + kMost + limits::kMaxSlowOfArena);
    CHECK(taken[1].id == 2);
    CHECK(taken.back().id == id);
  }
  SUBCASE("one that is dropped leaves its key free") {
    waiting.merge({incident_of(1, ++id)});
    IncidentRecord again = incident_of(1, 2);
    again.id = ++id;
    waiting.merge({again});
    CHECK(waiting.take().back() == again);
  }
  CHECK(waiting.take().empty());
}

TEST_CASE("waiting incidents: as many of all arenas as the database would keep") {
  WaitingIncidents waiting;
  constexpr uint64_t kMost = limits::kMaxIncidents;
  for (uint64_t n = 1; n <= kMost; ++n) waiting.merge({incident_of(n, n)});
  waiting.merge({incident_of(1, kMost + 1, IncidentKind::slow)});
  const std::vector<uint64_t> ids = ids_of(waiting.take());
  REQUIRE(ids.size() == kMost);
  CHECK(ids.front() == 2);
  CHECK(ids.back() == kMost + 1);
}

TEST_CASE("waiting incidents: the first of a key stays, and forgetting takes none") {
  WaitingWrites waiting;
  StoreBatch batch;
  batch.incidents = {incident_of(1, 1)};
  waiting.merge(batch);
  batch.incidents[0].id = 2;
  batch.incidents[0].report = "another";
  waiting.merge(batch);
  waiting.merge(forgetting(1));
  const StoreBatch taken = waiting.take();
  CHECK(taken.incidents == std::vector<IncidentRecord>{incident_of(1, 1)});
  CHECK(taken.forgotten == std::vector<ArenaId>{id_of(1)});
}

// ---- Quarantine ----

TEST_CASE("waiting quarantine: all entries stay") {
  WaitingWrites waiting;
  CHECK(waiting.take().empty());
  constexpr uint64_t kMany = 1000;
  for (uint64_t id = 1; id <= kMany; ++id) waiting.merge(quarantining({event_of(1 + id % 2, id, id)}));
  fail_a_commit(waiting);
  const StoreBatch taken = waiting.take();
  CHECK(taken.quarantined.size() == kMany);
  CHECK(taken.unquarantined.empty());
  CHECK(waiting.take().empty());
}

TEST_CASE("waiting quarantine: the effect in a database is that of the batches one by one") {
  std::vector<StoreBatch> batches;
  std::vector<uint64_t> expected;
  uint64_t latest = 3;
  SUBCASE("forgotten after it came") {
    batches = {quarantining({event_of(1, 2, 2), event_of(2, 3, 3)}), forgetting(1)};
    expected = {3};
  }
  SUBCASE("forgotten, the newest of all") {
    batches = {quarantining({event_of(2, 2, 2), event_of(1, 3, 3)}), forgetting(1)};
    expected = {2};
  }
  SUBCASE("forgotten before it came, also what is in the database") {
    batches = {forgetting(1), quarantining({event_of(1, 3, 3)})};
    expected = {3};
  }
  SUBCASE("forgotten in between, the same event twice") {
    batches = {quarantining({event_of(1, 2, 2)}), forgetting(1), quarantining({event_of(1, 3, 2)})};
    expected = {3};
  }
  SUBCASE("let go after it came") {
    batches = {quarantining({event_of(1, 2, 2), event_of(1, 3, 3)}), releasing({3})};
    expected = {2, 1};
  }
  SUBCASE("let go from the database") {
    batches = {quarantining({event_of(1, 3, 3)}), releasing({1})};
    expected = {3};
  }
  SUBCASE("let go from the database, and there again under another id") {
    batches = {releasing({1}), quarantining({event_of(1, 3, 1)})};
    expected = {3};
  }
  SUBCASE("let go, and there again under another id") {
    batches = {quarantining({event_of(1, 2, 2)}), releasing({2}), quarantining({event_of(1, 3, 2)})};
    expected = {3, 1};
  }
  SUBCASE("let go, and there again under the same id") {
    batches = {quarantining({event_of(1, 3, 3)}), releasing({3}), quarantining({event_of(1, 3, 3)})};
    expected = {3, 1};
  }
  SUBCASE("from the database, and there again under the same id") {
    batches = {releasing({1}), quarantining({event_of(1, 1, 1), event_of(1, 3, 3)})};
    expected = {3, 1};
  }
  SUBCASE("the same event under two ids, the first of which is let go") {
    batches = {quarantining({event_of(1, 2, 2)}), quarantining({event_of(1, 3, 2)}), releasing({2})};
    expected = {1};
  }
  SUBCASE("in and out in one batch") {
    batches = {quarantining({event_of(1, 3, 3)})};
    batches[0].unquarantined = {3};
    expected = {1};
  }
  SUBCASE("what never was") {
    batches = {releasing({1000}), quarantining({event_of(1, 3, 3)})};
    expected = {3, 1};
  }
  TemporaryFolder folder;
  const auto check = [&](Store& store) {
    CHECK(ids_of(well(store.quarantined({}))) == expected);
    CHECK(well(store.latest_quarantined()) == latest);
  };
  {
    Store store = open_well(folder.file("each.db"));
    well(store.commit(quarantining({event_of(1, 1, 1)})));
    for (const StoreBatch& batch : batches) well(store.commit(batch));
    check(store);
  }
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    Store store = open_well(folder.file(fails ? "fails.db" : "merged.db"));
    well(store.commit(quarantining({event_of(1, 1, 1)})));
    WaitingWrites waiting;
    for (const StoreBatch& batch : batches) {
      waiting.merge(batch);
      if (fails) fail_a_commit(waiting);
    }
    const StoreBatch merged = waiting.take();
    for (int times = 0; times < 2; ++times) {
      well(store.commit(merged));
      check(store);
    }
  }
}

TEST_CASE("waiting quarantine: what came and went while the disk failed takes no room") {
  WaitingWrites waiting;
  constexpr uint64_t kMany = 1000;
  for (uint64_t id = 1; id <= kMany; ++id) {
    waiting.merge(quarantining({event_of(id, id, 1)}));
    waiting.merge(forgetting(id));
    fail_a_commit(waiting);
  }
  const StoreBatch taken = waiting.take();
  REQUIRE(taken.quarantined.size() == 1);
  CHECK(taken.quarantined[0].id == kMany);
  CHECK(taken.quarantined[0].bytes.empty());
}

TEST_CASE("waiting quarantine: any history of two databases, one of which often fails, is the same") {
  const uint64_t seed = test::test_seed();
  test::Random random(seed);
  TemporaryFolder folder;
  Store each = open_well(folder.file("each.db"));
  Store merged = open_well(folder.file("merged.db"));
  WaitingWrites waiting;
  uint64_t incident = 0;
  uint64_t entry = 0;
  for (int step = 0; step < 600; ++step) {
    CAPTURE(step);
    StoreBatch batch;
    const uint64_t n = 1 + random.below(3);
    if (random.below(10) == 0) batch.forgotten = {id_of(n)};
    for (uint64_t i = random.below(10); i > 0; --i) {
      batch.incidents.push_back(incident_of(n, ++incident, i % 3 == 0 ? IncidentKind::slow : IncidentKind::hang));
    }
    // As arenad does: what is in quarantine is not quarantined again before it was let go.
    const std::vector<QuarantineRecord> there = well(each.quarantined({}));
    if (!there.empty() && random.below(2) == 0) batch.unquarantined = {there[random.below(there.size())].id};
    const uint64_t k = random.below(8);
    const auto is_there = [&](const QuarantineRecord& other) {
      return other.arena == id_of(n) && other.sequence == k && batch.unquarantined != std::vector{other.id};
    };
    if (std::none_of(there.begin(), there.end(), is_there)) batch.quarantined = {event_of(n, ++entry, k)};
    well(each.commit(batch));
    waiting.merge(batch);
    switch (random.below(4)) {
      case 0:  // the disk is there
        well(merged.commit(waiting.take()));
        REQUIRE(well(merged.quarantined({})) == well(each.quarantined({})));
        REQUIRE(all_incidents(merged) == all_incidents(each));
        REQUIRE(well(merged.latest_quarantined()) == well(each.latest_quarantined()));
        REQUIRE(well(merged.latest_incident()) == well(each.latest_incident()));
        break;
      case 1: {  // of unknown outcome: written, and taken for failed
        const StoreBatch unknown = waiting.take();
        well(merged.commit(unknown));
        waiting.merge(unknown);
        break;
      }
      case 2:
        fail_a_commit(waiting);
        break;
      default:
        break;
    }
  }
  CHECK(entry > 100);
}

// ---- The thread ----

TEST_CASE("store thread: incidents and quarantine outlast a lock of another process, and a bad one holds up nothing") {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable woken;
  uint64_t wakes = 0;
  StoreThread thread(open_well(folder.file()),
                     [&] {
                       const std::lock_guard lock(mutex);
                       ++wakes;
                       woken.notify_one();
                     },
                     {.first_delay = 1ms, .longest_delay = 4ms, .tries_when_stopping = 3});
  const auto run_until = [&](const auto& holds) {
    while (true) {
      thread.run_completions();
      if (holds()) return;
      std::unique_lock lock(mutex);
      // Only a test that hangs ever waits that long.
      REQUIRE(woken.wait_for(lock, 60s, [&] { return wakes > 0; }));
      wakes = 0;
    }
  };
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);

  std::vector<ErrorCode> refusals;
  size_t done = 0;
  const auto completion = [&](const Result<void>& result) {
    ++done;
    if (!result) refusals.push_back(result.error().code);
  };
  StoreBatch first = quarantining({event_of(1, 1, 1), event_of(1, 2, 2)});
  first.incidents = {incident_of(1, 1)};
  thread.submit(first, completion);
  run_until([&] { return thread.health().failing_since_ns.has_value(); });
  StoreBatch bad;
  bad.incidents = {incident_of(1, 2)};
  bad.incidents[0].report.assign(limits::kMaxIncidentReportBytes + 1, 'r');
  thread.submit(bad, completion);
  thread.submit(releasing({2}), completion);
  run_until([&] { return done == 1; });
  CHECK(refusals == std::vector<ErrorCode>{ErrorCode::invalid});
  sqlite3_close(other);
  run_until([&] { return done == 3; });
  CHECK(refusals.size() == 1);
  CHECK(thread.health().failed_commits > 0);
  thread.stop(Drain::commit_queued);

  Store store = open_well(folder.file());
  CHECK(all_incidents(store) == first.incidents);
  CHECK(ids_of(well(store.quarantined({}))) == std::vector<uint64_t>{1});
  CHECK(well(store.latest_quarantined()) == 2);
}
