// The numbered stream of what has happened, and its table in the database.
#include "supervisor/lifecycle_log.h"

#include <chrono>
#include <unistd.h>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "tests/support/raw_database.h"
#include "tests/support/temporary_folder.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// An arenad's store and log, as long as it lives.
struct Life {
  explicit Life(const std::string& file) : store(open(file), [] {}), log(store, std::move(kept)) {}

  Store open(const std::string& file) {
    auto opened = Store::open(file);
    REQUIRE(opened.ok());
    auto events = opened->store.lifecycle();
    REQUIRE(events.ok());
    kept = std::move(*events);
    return std::move(opened->store);
  }
  // Until nothing is pending.
  void commit() {
    for (int i = 0; i < 30'000 && log.pending() != 0; ++i) {
      store.run_completions();
      ::usleep(1000);
    }
    REQUIRE(log.pending() == 0);
  }

  std::vector<LifecycleRecord> kept;
  StoreThread store;
  LifecycleLog log;
};

LifecycleRecord about(const std::string& name, LifecycleLog::Details details = {}) {
  LifecycleRecord record;
  record.name = name;
  record.arena = "00000000000000000000000001";
  record.game = "tanks";
  record.epoch = 3;
  record.frame = UINT64_MAX;
  record.details = std::move(details);
  return record;
}

bool any(const LifecycleLog::Facts&) {
  return true;
}

std::vector<uint64_t> numbers(const LifecycleLog::Page& page) {
  std::vector<uint64_t> numbers;
  for (const LifecycleRecord& event : page.events) numbers.push_back(event.number);
  return numbers;
}

using Numbers = std::vector<uint64_t>;

}  // namespace

TEST_CASE("nobody is told of what is not in the database; then it is there for the next arenad too") {
  const TemporaryFolder folder;
  {
    Life life(folder.file());
    CHECK(life.log.last() == 0);
    CHECK(life.log.oldest() == 0);
    life.log.add(LifecycleEvent::started, about("duel"));
    life.log.add(LifecycleEvent::died, about("duel", {{"cause", "signal=SEGV"}, {"two", "lines\nof text"}, {"none", ""}}));
    CHECK(life.log.newest(any, 10).events.empty());
    life.commit();
    REQUIRE(numbers(life.log.newest(any, 10)) == Numbers{1, 2});
  }
  Life next(folder.file());
  const LifecycleLog::Page page = next.log.newest(any, 10);
  REQUIRE(numbers(page) == Numbers{1, 2});
  const LifecycleRecord& died = page.events[1];
  CHECK(died.type == "died");
  CHECK(died.name == "duel");
  CHECK(died.game == "tanks");
  CHECK(died.epoch == 3);
  CHECK(died.frame == UINT64_MAX);
  CHECK(died.at_unix_ms > 1'700'000'000'000);
  CHECK(died.details == LifecycleLog::Details{{"cause", "signal=SEGV"}, {"two", "lines of text"}, {"none", ""}});
  next.log.add(LifecycleEvent::recovered, about("duel"));
  next.commit();
  CHECK(numbers(next.log.newest(any, 10)) == Numbers{1, 2, 3});
}

TEST_CASE("those after a number, filtered, a page at a time") {
  const TemporaryFolder folder;
  Life life(folder.file());
  for (int i = 0; i < 10; ++i) life.log.add(LifecycleEvent::ready, about(i % 2 == 0 ? "even" : "odd"));
  life.commit();
  const auto odd = [](const LifecycleLog::Facts& event) { return event.name == "odd"; };
  LifecycleLog::Page page = life.log.after(0, odd, 2);
  CHECK(numbers(page) == Numbers{2, 4});
  CHECK(page.next == 4);
  page = life.log.after(page.next, odd, 100);
  CHECK(numbers(page) == Numbers{6, 8, 10});
  CHECK(page.next == 10);
  const auto even = [](const LifecycleLog::Facts& event) { return event.name == "even"; };
  page = life.log.after(8, even, 100);
  CHECK(numbers(page) == Numbers{9});
  CHECK(page.next == 10);  // looked at
  CHECK(numbers(life.log.newest(even, 2)) == Numbers{7, 9});
  CHECK(life.log.after(10, any, 100).events.empty());
  CHECK(life.log.after(1000, any, 100).events.empty());
}

TEST_CASE("the newest are kept, in memory and in the database") {
  const TemporaryFolder folder;
  constexpr uint64_t kAll = kLifecycleEventsKept + 50;
  {
    Life life(folder.file());
    for (uint64_t i = 0; i < kAll; ++i) life.log.add(LifecycleEvent::ready, about("duel"));
    CHECK(life.log.pending() == kLifecycleEventsKept);
    life.commit();
    CHECK(life.log.pending() == 0);
    CHECK(life.log.oldest() == 51);
    CHECK(life.log.last() == kAll);
  }
  Life next(folder.file());
  CHECK(next.log.oldest() == 51);
  CHECK(next.log.last() == kAll);
}

TEST_CASE("whatever is said of an event, the database takes it") {
  const TemporaryFolder folder;
  Life life(folder.file());
  LifecycleRecord record = about(std::string(10'000, 'n'), {{"a=b\nc", std::string(10'000, 'v')}});
  record.game = std::string(10'000, 'g');
  life.log.add(LifecycleEvent::started, std::move(record));
  life.commit();
  const LifecycleLog::Page page = life.log.newest(any, 10);
  REQUIRE(numbers(page) == Numbers{1});
  CHECK(page.events[0].name == std::string(1000, 'n'));
  CHECK(page.events[0].details == LifecycleLog::Details{{"a_b c", std::string(1000, 'v')}});
}

namespace {

// Another program has the table refuse rows (triggers are off in arenad's connection), and lets it have them again.
void have_refused(const std::string& file, const std::string& rows) {
  Raw db(file);
  db.run("PRAGMA busy_timeout = 30000");
  const std::string table = db.ask("SELECT sql FROM sqlite_master WHERE name = 'lifecycle_events'");
  const size_t end = table.rfind(')');
  REQUIRE(end != std::string::npos);
  db.run("BEGIN; ALTER TABLE lifecycle_events RENAME TO aside; " + table.substr(0, end) + ", CHECK (NOT (" + rows + "))" +
         table.substr(end) + "; INSERT INTO lifecycle_events SELECT * FROM aside; COMMIT");
}
void have_taken(const std::string& file) {
  Raw db(file);
  db.run("PRAGMA busy_timeout = 30000");
  db.run(
      "BEGIN; INSERT OR REPLACE INTO aside SELECT * FROM lifecycle_events; DROP TABLE lifecycle_events; "
      "ALTER TABLE aside RENAME TO lifecycle_events; COMMIT");
}

}  // namespace

TEST_CASE("what the database refuses leaves no gap in the numbers") {
  const TemporaryFolder folder;
  {
    Life life(folder.file());
    life.log.add(LifecycleEvent::started, about("first"));
    life.commit();
    SUBCASE("because of what is in it: the number stays its own") {
      have_refused(folder.file(), "name = 'bad'");
    }
    SUBCASE("whatever is in it, for a while") {
      have_refused(folder.file(), "number = 2");
    }
    life.log.add(LifecycleEvent::died, about("bad"));
    for (int i = 0; i < 30'000 && life.store.health().failed_commits < 2; ++i) {
      life.store.run_completions();
      ::usleep(1000);
    }
    REQUIRE(life.store.health().failed_commits >= 2);
    life.log.add(LifecycleEvent::ready, about("good"));
    have_taken(folder.file());
    life.log.add(LifecycleEvent::ready, about("last"));
    life.commit();
    const LifecycleLog::Page page = life.log.newest(any, 10);
    REQUIRE(numbers(page) == Numbers{1, 2, 3, 4});
    CHECK(page.events[1].type == "died");
    CHECK(page.events[1].name.empty());
    CHECK(page.events[3].name == "last");
  }
  Life next(folder.file());
  CHECK(numbers(next.log.newest(any, 10)) == Numbers{1, 2, 3, 4});
}

TEST_CASE("events that were too many to be awaited are told when the database takes something again") {
  const TemporaryFolder folder;
  auto opened = Store::open(folder.file(), {.busy_timeout = std::chrono::milliseconds(1)});
  REQUIRE(opened.ok());
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  StoreThread store(std::move(opened->store), [] {}, {.most_awaited = 2});
  LifecycleLog log(store, {});
  for (int i = 0; i < 5; ++i) log.add(LifecycleEvent::ready, about("duel"));
  store.run_completions();
  CHECK(store.health().unawaited_batches == 3);
  sqlite3_close(other);
  for (int i = 0; i < 30'000 && log.pending() != 0; ++i) {
    store.run_completions();
    ::usleep(1000);
  }
  CHECK(numbers(log.newest(any, 10)) == Numbers{1, 2, 3, 4, 5});
}
