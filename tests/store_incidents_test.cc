// Incidents and quarantine in the durable store: what stays, what goes, and that no id is ever used twice.
#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "ipc/limits.h"
#include "state/records_check.h"
#include "state/store.h"
#include "tests/support/raw_database.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/why_not.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using namespace std::string_literals;

constexpr auto kDeaths = IncidentScope::deaths;
constexpr auto kAll = IncidentScope::deaths_and_slow_frames;
constexpr size_t kEvery = SIZE_MAX;

// ---- Records ----

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = 0xfedc'ba98'7654'3210};
}

ArenaRecord arena_of(uint64_t n) {
  ArenaRecord arena;
  arena.id = id_of(n);
  arena.name = "arena-" + std::to_string(n);
  arena.game = "tanks";
  arena.params = {{"map", "prokhorovka"}};
  arena.epoch = 3;
  return arena;
}

// Its key is unique as long as its id is.
IncidentRecord incident_of(uint64_t n, uint64_t id, IncidentKind kind = IncidentKind::crash) {
  return {.id = id,
          .arena = id_of(n),
          .epoch = {1 + id % 3},
          .frame = {10 * id},
          .kind = kind,
          .at_unix_ms = 1'700'000'000'000 + static_cast<int64_t>(id),
          .report = "report \0 "s + std::to_string(id)};
}

QuarantineRecord event_of(uint64_t n, uint64_t id) {
  return {.id = id,
          .arena = id_of(n),
          .channel = {1 + id % 3},
          .sequence = id,
          .seat = static_cast<uint32_t>(id % 64),
          .player = "anna",
          .type = 0xfedc'ba98'0000'0000 + id,
          .frame = {10 * id},
          .at_unix_ms = 1'700'000'000'000 + static_cast<int64_t>(id),
          .incident = id,
          .bytes = "event \0 "s + std::to_string(id)};
}

StoreBatch with_incidents(std::vector<IncidentRecord> incidents) {
  StoreBatch batch;
  batch.incidents = std::move(incidents);
  return batch;
}

StoreBatch with_quarantine(std::vector<QuarantineRecord> quarantined, std::vector<uint64_t> unquarantined = {}) {
  StoreBatch batch;
  batch.quarantined = std::move(quarantined);
  batch.unquarantined = std::move(unquarantined);
  return batch;
}

StoreBatch forgetting(uint64_t n) {
  StoreBatch batch;
  batch.forgotten = {id_of(n)};
  return batch;
}

// ---- Files ----

// ---- Shorthands ----

template <class T>
T well(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
  return std::move(*result);
}

void well(const Result<void>& result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
}

Store open_well(const std::string& path) {
  Result<Store::Opened> opened = Store::open(path, {.busy_timeout = std::chrono::milliseconds(1)});
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  REQUIRE_MESSAGE(!opened->notice, *opened->notice);
  return std::move(opened->store);
}

template <class Record>
std::vector<uint64_t> ids_of(const std::vector<Record>& records) {
  std::vector<uint64_t> ids;
  for (const Record& record : records) ids.push_back(record.id);
  return ids;
}

std::vector<uint64_t> incidents_of(Store& store, std::optional<ArenaId> arena, IncidentScope scope = kAll) {
  return ids_of(well(store.incidents(arena, scope, kEvery)));
}

std::vector<uint64_t> quarantine_of(Store& store, std::optional<ArenaId> arena = {}) {
  return ids_of(well(store.quarantined(arena)));
}

// newest, newest - 1 ... oldest
std::vector<uint64_t> down(uint64_t newest, uint64_t oldest) {
  std::vector<uint64_t> ids;
  for (uint64_t id = newest; id >= oldest; --id) ids.push_back(id);
  return ids;
}

// What a commit never counts must be what a count says.
void check_counter(const TemporaryFolder& folder) {
  Raw raw(folder.file());
  CHECK(raw.ask("SELECT value FROM counters WHERE name = 'incidents'") == raw.ask("SELECT count(*) FROM incidents"));
}

}  // namespace

// ---- What is kept ----

TEST_CASE("incidents: none in a new database") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  CHECK(well(store.incidents({}, kAll, kEvery)).empty());
  CHECK(well(store.incidents(id_of(1), kDeaths, kEvery)).empty());
  CHECK(well(store.incident(0)) == std::nullopt);
  CHECK(well(store.incident(1)) == std::nullopt);
  CHECK(well(store.latest_incident()) == 0);
  CHECK(well(store.quarantined({})).empty());
  CHECK(well(store.quarantined(id_of(1))).empty());
  CHECK(well(store.quarantined_event(1)) == std::nullopt);
  CHECK(well(store.latest_quarantined()) == 0);
  check_counter(folder);
}

TEST_CASE("incidents: everything written is read again, also after closing") {
  TemporaryFolder folder;
  using enum IncidentKind;
  std::vector<IncidentRecord> incidents;
  for (const IncidentKind kind : {crash, exit, killed, out_of_memory, hang, slow}) {
    incidents.push_back(incident_of(1 + incidents.size() % 2, 1 + incidents.size(), kind));
  }
  incidents[0].report.clear();
  incidents[1].report.assign(limits::kMaxIncidentReportBytes, '\xff');
  std::vector<QuarantineRecord> events = {event_of(1, 1), event_of(2, 2), event_of(1, 3)};
  events[0].player = "nul \0, umlaut \xc3\xa4, not utf-8 \xff"s;
  events[1].bytes.assign(limits::kMaxEventBytes, '\xff');
  events[1].player.assign(limits::kMaxPlayerNameBytes, 'p');
  events[1].seat = UINT32_MAX;
  events[1].type = UINT64_MAX;
  events[2].bytes.clear();
  events[2].player.clear();
  {
    Store store = open_well(folder.file());
    StoreBatch batch = with_incidents(incidents);
    batch.quarantined = events;
    well(store.commit(batch));
  }
  Store store = open_well(folder.file());
  for (const IncidentRecord& each : incidents) CHECK(well(store.incident(each.id)) == each);
  for (const QuarantineRecord& each : events) CHECK(well(store.quarantined_event(each.id)) == each);
  CHECK(well(store.incident(7)) == std::nullopt);
  CHECK(well(store.quarantined_event(4)) == std::nullopt);
  CHECK(well(store.latest_incident()) == 6);
  CHECK(well(store.latest_quarantined()) == 3);

  std::reverse(incidents.begin(), incidents.end());
  std::reverse(events.begin(), events.end());
  CHECK(well(store.incidents({}, kAll, kEvery)) == incidents);
  CHECK(well(store.quarantined({})) == events);
  CHECK(incidents_of(store, {}, kDeaths) == std::vector<uint64_t>{5, 4, 3, 2, 1});
  CHECK(incidents_of(store, id_of(1), kAll) == std::vector<uint64_t>{5, 3, 1});
  CHECK(incidents_of(store, id_of(2), kAll) == std::vector<uint64_t>{6, 4, 2});
  CHECK(incidents_of(store, id_of(2), kDeaths) == std::vector<uint64_t>{4, 2});
  CHECK(incidents_of(store, id_of(9), kAll).empty());
  CHECK(quarantine_of(store, id_of(1)) == std::vector<uint64_t>{3, 1});
  CHECK(quarantine_of(store, id_of(9)).empty());
  CHECK(store.skipped_rows() == 0);
}

TEST_CASE("incidents: as many as are asked for, the newest") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  using enum IncidentKind;
  well(store.commit(with_incidents({incident_of(1, 1), incident_of(1, 2, slow), incident_of(2, 3), incident_of(1, 4, hang)})));
  for (const size_t newest : {0U, 1U, 2U, 3U, 4U, 5U}) {
    CAPTURE(newest);
    CHECK(ids_of(well(store.incidents({}, kAll, newest))) == down(4, 5 - std::min<size_t>(newest, 4)));
  }
  CHECK(ids_of(well(store.incidents({}, kDeaths, 2))) == std::vector<uint64_t>{4, 3});
  CHECK(ids_of(well(store.incidents(id_of(1), kAll, 2))) == std::vector<uint64_t>{4, 2});
  CHECK(ids_of(well(store.incidents(id_of(1), kDeaths, 2))) == std::vector<uint64_t>{4, 1});
}

TEST_CASE("incidents: slow frames alone, from an id downwards") {
  const auto slow = IncidentKind::slow;
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  CHECK(well(store.slow_frames(UINT64_MAX, 10)).empty());
  well(store.commit(with_incidents({incident_of(1, 1, slow), incident_of(1, 2), incident_of(2, 3, slow),
                                    incident_of(1, 4, IncidentKind::hang), incident_of(1, 5, slow)})));
  CHECK(ids_of(well(store.slow_frames(UINT64_MAX, 10))) == std::vector<uint64_t>{5, 3, 1});
  CHECK(ids_of(well(store.slow_frames(UINT64_MAX, 2))) == std::vector<uint64_t>{5, 3});
  CHECK(ids_of(well(store.slow_frames(5, 10))) == std::vector<uint64_t>{3, 1});
  CHECK(ids_of(well(store.slow_frames(4, 1))) == std::vector<uint64_t>{3});
  CHECK(well(store.slow_frames(1, 10)).empty());
  CHECK(well(store.slow_frames(UINT64_MAX, 0)).empty());
}

TEST_CASE("incidents: the same batch twice is the same as once") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(with_quarantine({event_of(1, 1), event_of(1, 2)})));
  StoreBatch batch;
  batch.incidents = {incident_of(1, 1), incident_of(1, 2, IncidentKind::slow)};
  batch.quarantined = {event_of(1, 3), event_of(1, 4)};
  batch.unquarantined = {1, 4, 77};
  for (int times = 0; times < 3; ++times) {
    well(store.commit(batch));
    CHECK(incidents_of(store, {}) == std::vector<uint64_t>{2, 1});
    CHECK(quarantine_of(store) == std::vector<uint64_t>{3, 2});
    CHECK(well(store.latest_quarantined()) == 4);
    check_counter(folder);
  }
}

TEST_CASE("incidents: the first of a key stays") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(with_incidents({incident_of(1, 1)})));
  IncidentRecord again = incident_of(1, 1);
  again.id = 2;
  again.report = "another";
  std::vector<uint64_t> expected = {1};
  SUBCASE("all the same") {}
  const auto also = [&] { expected = {2, 1}; };
  SUBCASE("of another arena") {
    again.arena = id_of(2);
    also();
  }
  SUBCASE("of another epoch") {
    again.epoch = again.epoch.next();
    also();
  }
  SUBCASE("of another frame") {
    again.frame = again.frame.next();
    also();
  }
  SUBCASE("of another kind") {
    again.kind = IncidentKind::slow;
    also();
  }
  well(store.commit(with_incidents({again})));
  CHECK(incidents_of(store, {}) == expected);
  CHECK(well(store.incident(1)) == incident_of(1, 1));
  CHECK(well(store.latest_incident()) == 2);
  check_counter(folder);
}

TEST_CASE("incidents: a report that was completed takes the place of the first, of the same incident and no other") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  const IncidentRecord first = incident_of(1, 1);
  well(store.commit(with_incidents({first, incident_of(1, 2)})));
  IncidentRecord completed = first;
  completed.report = "what the recovery took";
  IncidentRecord elsewhere = completed;
  elsewhere.arena = id_of(2);
  IncidentRecord unknown = incident_of(1, 7);
  StoreBatch batch;
  batch.recovered = {elsewhere, unknown};
  well(store.commit(batch));
  CHECK(well(store.incident(1)) == first);
  CHECK(well(store.incident(7)) == std::nullopt);
  batch.recovered = {completed};
  for (int times = 0; times < 2; ++times) {
    well(store.commit(batch));
    CHECK(well(store.incident(1)) == completed);
    CHECK(well(store.incident(2)) == incident_of(1, 2));
  }
  check_counter(folder);
}

TEST_CASE("incidents: a bad record is refused alone") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  constexpr uint64_t kLargest = INT64_MAX;

  StoreBatch limit;
  limit.incidents = {incident_of(1, 1)};
  limit.incidents[0].id = kLargest;
  limit.incidents[0].epoch = {kLargest};
  limit.incidents[0].frame = {kLargest};
  limit.incidents[0].report.assign(limits::kMaxIncidentReportBytes, 'r');
  limit.quarantined = {event_of(1, 1)};
  limit.quarantined[0].id = kLargest;
  limit.quarantined[0].channel = {kLargest};
  limit.quarantined[0].sequence = kLargest;
  limit.quarantined[0].frame = {kLargest};
  limit.quarantined[0].incident = kLargest;
  limit.quarantined[0].bytes.assign(limits::kMaxEventBytes, 'e');
  limit.quarantined[0].player.assign(limits::kMaxPlayerNameBytes, 'p');
  limit.unquarantined = {kLargest - 1};
  well(store.commit(limit));
  CHECK(well(store.incidents({}, kAll, kEvery)) == limit.incidents);
  CHECK(well(store.quarantined({})) == limit.quarantined);
  CHECK(well(store.latest_quarantined()) == kLargest);

  using Spoil = std::function<void(StoreBatch&)>;
  const std::vector<std::pair<const char*, Spoil>> spoils = {
      {"incident without id", [](StoreBatch& b) { b.incidents[0].id = 0; }},
      {"incident's id", [](StoreBatch& b) { b.incidents[0].id = kLargest + 1; }},
      {"incident without arena", [](StoreBatch& b) { b.incidents[0].arena = {}; }},
      {"incident's epoch", [](StoreBatch& b) { b.incidents[0].epoch = {kLargest + 1}; }},
      {"incident's frame", [](StoreBatch& b) { b.incidents[0].frame = {kLargest + 1}; }},
      {"report", [](StoreBatch& b) { b.incidents[0].report.assign(limits::kMaxIncidentReportBytes + 1, 'r'); }},
      {"event without id", [](StoreBatch& b) { b.quarantined[0].id = 0; }},
      {"event's id", [](StoreBatch& b) { b.quarantined[0].id = kLargest + 1; }},
      {"event without arena", [](StoreBatch& b) { b.quarantined[0].arena = {}; }},
      {"channel", [](StoreBatch& b) { b.quarantined[0].channel = {kLargest + 1}; }},
      {"sequence", [](StoreBatch& b) { b.quarantined[0].sequence = kLargest + 1; }},
      {"event's frame", [](StoreBatch& b) { b.quarantined[0].frame = {kLargest + 1}; }},
      {"event's incident", [](StoreBatch& b) { b.quarantined[0].incident = kLargest + 1; }},
      {"event's bytes", [](StoreBatch& b) { b.quarantined[0].bytes.assign(limits::kMaxEventBytes + 1, 'e'); }},
      {"player", [](StoreBatch& b) { b.quarantined[0].player.assign(limits::kMaxPlayerNameBytes + 1, 'p'); }},
      {"leaving without id", [](StoreBatch& b) { b.unquarantined[0] = 0; }},
      {"leaving id", [](StoreBatch& b) { b.unquarantined[0] = kLargest + 1; }},
  };
  for (const auto& [what, spoil] : spoils) {
    CAPTURE(what);
    StoreBatch batch;
    batch.incidents = {incident_of(2, 5)};
    batch.quarantined = {event_of(2, 5)};
    batch.unquarantined = {6};
    CHECK(check_batch(batch).ok());
    spoil(batch);
    const Result<void> refused = store.commit(batch);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::invalid);
  }
  CHECK(incidents_of(store, {}).size() == 1);
  CHECK(quarantine_of(store).size() == 1);
}

// ---- Bounds ----

TEST_CASE("incidents: of each arena the newest deaths and, apart from them, the newest slow frames stay") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  uint64_t id = 0;
  const auto add = [&](uint64_t n, IncidentKind kind, size_t count) {
    StoreBatch batch;
    for (size_t i = 0; i < count; ++i) batch.incidents.push_back(incident_of(n, ++id, kind));
    well(store.commit(batch));
  };
  constexpr uint64_t kMost = limits::kMaxDeathsOfArena;
  constexpr uint64_t kMostSlow = limits::kMaxSlowOfArena;
  add(2, IncidentKind::crash, 1);
  add(1, IncidentKind::crash, kMost);
  CHECK(incidents_of(store, id_of(1)) == down(1 + kMost, 2));
  add(1, IncidentKind::hang, 1);
  CHECK(incidents_of(store, id_of(1)) == down(2 + kMost, 3));

  // However many frames are slow, no death goes.
  const uint64_t before = id;
  for (size_t i = 0; i < 3; ++i) add(1, IncidentKind::slow, kMostSlow);
  CHECK(incidents_of(store, id_of(1), kDeaths) == down(before, 3));
  std::vector<uint64_t> expected = down(id, id - kMostSlow + 1);
  const std::vector<uint64_t> deaths = down(before, 3);
  expected.insert(expected.end(), deaths.begin(), deaths.end());
  CHECK(incidents_of(store, id_of(1)) == expected);
  add(1, IncidentKind::slow, 1);
  CHECK(incidents_of(store, id_of(1)).size() == kMost + kMostSlow);
  CHECK(incidents_of(store, id_of(2)) == std::vector<uint64_t>{1});
  check_counter(folder);

  // An old one that comes late does not displace a newer one.
  IncidentRecord late = incident_of(1, 2);
  well(store.commit(with_incidents({late})));
  CHECK(incidents_of(store, id_of(1), kDeaths) == deaths);
  CHECK(well(store.latest_incident()) == id);
  check_counter(folder);
}

TEST_CASE("incidents: of all arenas together the newest stay, also of those that are forgotten") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  constexpr uint64_t kMost = limits::kMaxIncidents;
  // One of each arena, so that no arena's own bound is met; and the first arena is long forgotten.
  StoreBatch batch;
  for (uint64_t n = 1; n <= kMost; ++n) batch.incidents.push_back(incident_of(n, n));
  well(store.commit(batch));
  well(store.commit(forgetting(1)));
  CHECK(incidents_of(store, {}).size() == kMost);
  CHECK(well(store.incident(1)) == incident_of(1, 1));
  check_counter(folder);

  well(store.commit(with_incidents({incident_of(7, kMost + 1, IncidentKind::slow)})));
  CHECK(incidents_of(store, {}).size() == kMost);
  CHECK(well(store.incident(1)) == std::nullopt);
  CHECK(well(store.incident(2)) == incident_of(2, 2));

  // Once more the whole of it in one batch, and then some.
  batch.incidents.clear();
  for (uint64_t n = kMost + 2; n <= 2 * kMost + 50; ++n) batch.incidents.push_back(incident_of(n, n));
  for (int times = 0; times < 2; ++times) {
    well(store.commit(batch));
    CHECK(incidents_of(store, {}) == down(2 * kMost + 50, kMost + 51));
    CHECK(well(store.latest_incident()) == 2 * kMost + 50);
    check_counter(folder);
  }
}

TEST_CASE("incidents: a counter that another program spoiled is made good when the database is opened") {
  TemporaryFolder folder;
  const auto spoil = [&](const std::string& sql) { Raw(folder.file()).run(sql); };
  {
    Store store = open_well(folder.file());
    well(store.commit(with_incidents({incident_of(1, 1), incident_of(1, 2)})));
    well(store.commit(with_quarantine({event_of(1, 9)})));
    // In use, too, a count that is gone makes no commit fail.
    spoil("DELETE FROM counters");
    well(store.commit(with_incidents({incident_of(1, 3)})));
  }
  SUBCASE("it is gone") {
    spoil("DELETE FROM counters");
  }
  SUBCASE("too much") {
    spoil("INSERT OR REPLACE INTO counters VALUES ('incidents', 1000000)");
  }
  SUBCASE("below nothing") {
    spoil("INSERT OR REPLACE INTO counters VALUES ('incidents', -1000000)");
  }
  Store store = open_well(folder.file());
  check_counter(folder);
  well(store.commit(with_incidents({incident_of(1, 4)})));
  CHECK(incidents_of(store, {}) == down(4, 1));
  CHECK(well(store.latest_incident()) == 4);
  CHECK(well(store.latest_quarantined()) == 9);
  check_counter(folder);
}

// ---- Leaving quarantine ----

TEST_CASE("quarantine: entries leave by id, and none of the ids is ever free again") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    well(store.commit(with_quarantine({event_of(1, 1), event_of(1, 2), event_of(2, 3)})));
    well(store.commit(with_quarantine({}, {3, 99})));
    CHECK(quarantine_of(store) == std::vector<uint64_t>{2, 1});
    // What was never there uses up nothing: a mistaken number must not make all later ones impossible.
    CHECK(well(store.latest_quarantined()) == 3);
  }
  {
    Store store = open_well(folder.file());
    CHECK(well(store.latest_quarantined()) == 3);
    well(store.commit(with_quarantine({}, {1, 2})));
    CHECK(quarantine_of(store).empty());
  }
  {
    Store store = open_well(folder.file());
    CHECK(well(store.latest_quarantined()) == 3);
    // Came and went before it was written.
    well(store.commit(with_quarantine({event_of(1, 4)}, {4})));
    CHECK(quarantine_of(store).empty());
  }
  Store store = open_well(folder.file());
  CHECK(well(store.latest_quarantined()) == 4);
}

TEST_CASE("quarantine: the first of a key stays, until it leaves") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(with_quarantine({event_of(1, 1)})));
  QuarantineRecord again = event_of(1, 1);
  again.id = 2;
  well(store.commit(with_quarantine({again})));
  CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  CHECK(well(store.latest_quarantined()) == 2);

  // Let go, it killed its arena once more.
  again.id = 3;
  const StoreBatch anew = with_quarantine({again}, {1});
  for (int times = 0; times < 2; ++times) {
    well(store.commit(anew));
    CHECK(well(store.quarantined({})) == std::vector<QuarantineRecord>{again});
  }
  // And all of this in one batch.
  QuarantineRecord last = again;
  last.id = 4;
  well(store.commit(with_quarantine({again, last}, {3})));
  CHECK(well(store.quarantined({})) == std::vector<QuarantineRecord>{last});
}

TEST_CASE("quarantine: forgetting an arena takes its quarantine and leaves its incidents") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    StoreBatch batch;
    batch.arenas = {arena_of(1), arena_of(2)};
    batch.incidents = {incident_of(1, 1), incident_of(2, 2), incident_of(1, 3, IncidentKind::slow)};
    batch.quarantined = {event_of(2, 1), event_of(1, 2), event_of(1, 3)};
    well(store.commit(batch));
    well(store.commit(forgetting(1)));
    CHECK(incidents_of(store, id_of(1)) == std::vector<uint64_t>{3, 1});
    CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  }
  Store store = open_well(folder.file());
  CHECK(incidents_of(store, {}) == down(3, 1));
  CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  CHECK(well(store.latest_quarantined()) == 3);

  // Forgotten and written in one batch: nothing from before.
  StoreBatch batch = forgetting(2);
  batch.quarantined = {event_of(2, 4)};
  for (int times = 0; times < 2; ++times) {
    well(store.commit(batch));
    CHECK(quarantine_of(store) == std::vector<uint64_t>{4});
  }
}

// ---- Damage ----

TEST_CASE("incidents: a damaged row is skipped, counted and noticed") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(with_incidents({incident_of(1, 1), incident_of(1, 2)})));
  const auto spoil = [&](const std::string& set) { Raw(folder.file()).run("UPDATE incidents SET " + set + " WHERE id = 2"); };
  SUBCASE("report") {
    spoil("report = zeroblob(length(report))");
  }
  SUBCASE("arena") {
    spoil("arena = zeroblob(16)");
  }
  SUBCASE("frame") {
    spoil("frame = frame + 1");
  }
  SUBCASE("time") {
    spoil("at_unix_ms = 0");
  }
  SUBCASE("kind") {
    spoil("kind = 'slow'");
  }
  SUBCASE("no kind") {
    spoil("kind = 'sulk'");
  }
  CHECK(incidents_of(store, {}) == std::vector<uint64_t>{1});
  CHECK(store.skipped_rows() == 1);
  CHECK(well(store.incident(2)) == std::nullopt);
  CHECK(store.skipped_rows() == 2);
  const std::vector<std::string> notices = store.take_notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find("incident 2") != std::string::npos);
  CHECK(well(store.latest_incident()) == 2);
}

TEST_CASE("quarantine: a damaged row is skipped, counted and noticed, and can leave") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(with_quarantine({event_of(1, 1), event_of(1, 2)})));
  const char* set = "";
  SUBCASE("bytes") {
    set = "bytes = zeroblob(length(bytes))";
  }
  SUBCASE("player") {
    set = "player = 'anne'";
  }
  SUBCASE("sequence") {
    set = "sequence = 77";
  }
  SUBCASE("channel") {
    set = "channel = 77";
  }
  SUBCASE("seat") {
    set = "seat = 63";
  }
  SUBCASE("type") {
    set = "type = 1";
  }
  SUBCASE("incident") {
    set = "incident = 1";
  }
  Raw(folder.file()).run("UPDATE quarantine SET "s + set + " WHERE id = 2");
  CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  CHECK(well(store.quarantined_event(2)) == std::nullopt);
  CHECK(store.skipped_rows() == 2);
  const std::vector<std::string> notices = store.take_notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find("event 2") != std::string::npos);
  well(store.commit(with_quarantine({}, {2})));
  CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  CHECK(store.skipped_rows() == 2);
}

// ---- Trying again ----

TEST_CASE("incidents: a commit that failed in the middle left nothing, and is tried again") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  std::vector<IncidentRecord> before;
  for (uint64_t id = 1; id <= limits::kMaxDeathsOfArena; ++id) before.push_back(incident_of(1, id));
  StoreBatch first = with_incidents(before);
  first.quarantined = {event_of(1, 1)};
  well(store.commit(first));

  const uint64_t next = limits::kMaxDeathsOfArena + 1;
  StoreBatch batch = with_incidents({incident_of(1, next)});
  batch.quarantined = {event_of(1, 2)};
  batch.unquarantined = {1};
  batch.incidents[0].report.assign(limits::kMaxIncidentReportBytes, 'r');
  batch.quarantined[0].bytes.assign(limits::kMaxEventBytes, 'e');
  // Each try comes further before it has no more memory, until one has enough.
  const sqlite3_int64 used = sqlite3_memory_used();
  size_t failures = 0;
  for (sqlite3_int64 more = 1;; more += 9'973) {
    REQUIRE(more < 2'000'000);
    sqlite3_hard_heap_limit64(used + more);
    const Result<void> committed = store.commit(batch);
    sqlite3_hard_heap_limit64(0);
    if (committed) break;
    CHECK(committed.error().code == ErrorCode::exhausted);
    ++failures;
    CHECK(incidents_of(store, {}) == down(limits::kMaxDeathsOfArena, 1));
    CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
    CHECK(well(store.latest_quarantined()) == 1);
    check_counter(folder);
  }
  CHECK(failures > 0);
  MESSAGE("failed ", failures, " times");
  for (int times = 0; times < 2; ++times) {
    CHECK(incidents_of(store, {}) == down(next, 2));
    CHECK(quarantine_of(store) == std::vector<uint64_t>{2});
    CHECK(well(store.latest_quarantined()) == 2);
    check_counter(folder);
    well(store.commit(batch));
  }
}

// ---- From version 1 ----

TEST_CASE("incidents: a database of version 1 goes on with all that is in it") {
  TemporaryFolder folder;
  const CheckpointRecord checkpoint{
      .arena = id_of(1), .epoch = {3}, .frame = {40}, .taken_unix_ms = 1'700'000'000'000, .bytes = "snapshot"};
  const ResultRecord result{
      .arena = id_of(2), .sequence = 5, .seat = 6, .type = 7, .bytes = "result", .recorded_unix_ms = 1'700'000'000'001};
  const std::string first = "x'0191000000000001fedcba9876543210'";
  const std::string second = "x'0191000000000002fedcba9876543210'";
  const auto number = [](uint64_t word) { return std::to_string(static_cast<int64_t>(word)); };
  {
    // As version 1 made and left it.
    REQUIRE(known_migrations()[0].version == 1);
    Raw raw(folder.file());
    raw.run("PRAGMA journal_mode = WAL; BEGIN");
    raw.run(known_migrations()[0].sql);
    raw.run("PRAGMA application_id = " + std::to_string(0x4172656e) + "; PRAGMA user_version = 1; COMMIT");
    raw.run("INSERT INTO arenas VALUES (" + first + ", 'arena-1', 'tanks', '', 'running', 3, 0, 0, '', 0)");
    raw.run("INSERT INTO arena_params VALUES (" + first + ", 0, 'map', 'prokhorovka')");
    raw.run("INSERT INTO checkpoints VALUES (" + first + ", 3, 40, 1700000000000, " + number(checksum_of(checkpoint)) +
            ", CAST('snapshot' AS BLOB))");
    raw.run("INSERT INTO results VALUES (" + second + ", 5, 6, 7, CAST('result' AS BLOB), 1700000000001)");
    raw.run("UPDATE store SET commits = 42");
  }
  const std::string identity = Raw(folder.file()).ask("SELECT hex(identity) FROM store");
  for (int times = 0; times < 2; ++times) {
    Store store = open_well(folder.file());
    CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena_of(1)});
    CHECK(well(store.checkpoints(id_of(1))) == std::vector<CheckpointRecord>{checkpoint});
    CHECK(well(store.results(id_of(2))) == std::vector<ResultRecord>{result});
    CHECK(well(store.latest_incident()) == (times == 0 ? 0 : 1));
    CHECK(incidents_of(store, {}).empty() == (times == 0));
    StoreBatch batch = with_incidents({incident_of(1, 1)});
    batch.quarantined = {event_of(1, 1)};
    well(store.commit(batch));
    CHECK(incidents_of(store, {}) == std::vector<uint64_t>{1});
    CHECK(quarantine_of(store) == std::vector<uint64_t>{1});
  }
  Raw raw(folder.file());
  CHECK(raw.ask("PRAGMA user_version") == std::to_string(known_migrations().back().version));
  CHECK(raw.ask("SELECT hex(identity) FROM store") == identity);
  CHECK(raw.ask("SELECT commits FROM store") == "44");
  CHECK(raw.ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                " AND name NOT LIKE 'sqlite_%' AND strict = 0") == "0");
}
