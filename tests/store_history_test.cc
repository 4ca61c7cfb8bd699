// What was asked of arenad, in the durable store: over closing, replaced when it is answered, bounded, and from an older database.

#include <doctest/doctest.h>

#include "state/migrations.h"
#include "state/store.h"
#include "state/store_thread.h"
#include "tests/support/raw_database.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/why_not.h"

namespace {

using namespace arenad;
using namespace arenad::test;

// With another value in each field.
CommandRecord command_of(uint64_t id, const std::string& outcome = "done") {
  return {.id = id,
          .at_unix_ms = 1'700'000'000'000 + static_cast<int64_t>(id),
          .pid = 4242,
          .uid = UINT32_MAX,
          .gid = 1000,
          .verb = "stop",
          .subject = "duel-1 'ladder-*'",
          .outcome = outcome,
          .detail = "duel-1: stopped"};
}

StoreBatch batch_of(std::vector<CommandRecord> commands) {
  StoreBatch batch;
  batch.commands = std::move(commands);
  return batch;
}

template <class T>
T well(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
  return std::move(*result);
}
void well(const Result<void>& result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
}

Store open_well(const std::string& path) {
  auto opened = well(Store::open(path));
  REQUIRE_FALSE(opened.notice.has_value());
  return std::move(opened.store);
}

}  // namespace

TEST_CASE("history: everything written is read again, newest first, also after closing") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    CHECK(well(store.commands(10)).empty());
    CHECK(well(store.latest_command()) == 0);
    const StoreBatch batch = batch_of({command_of(1), command_of(2, "open")});
    well(store.commit(batch));
    well(store.commit(batch));
    well(store.commit(batch_of({command_of(2, "refused")})));
  }
  Store store = open_well(folder.file());
  CHECK(well(store.commands(10)) == std::vector<CommandRecord>{command_of(2, "refused"), command_of(1)});
  CHECK(well(store.commands(1)) == std::vector<CommandRecord>{command_of(2, "refused")});
  CHECK(well(store.latest_command()) == 2);
}

TEST_CASE("history: the oldest go, whether they come in one transaction or in many") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch many;
  for (uint64_t id = 1; id <= kCommandsKept + 3; ++id) many.commands.push_back(command_of(id));
  well(store.commit(many));
  CHECK(Raw(folder.file()).ask("SELECT count(*) FROM history") == std::to_string(kCommandsKept));
  CHECK(Raw(folder.file()).ask("SELECT min(id) FROM history") == "4");
  well(store.commit(batch_of({command_of(kCommandsKept + 4)})));
  CHECK(Raw(folder.file()).ask("SELECT min(id) FROM history") == "5");
  CHECK(well(store.latest_command()) == kCommandsKept + 4);
}

TEST_CASE("history: what could never be stored is invalid") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch beyond = batch_of({command_of(1)});
  SUBCASE("no id") {
    beyond.commands[0].id = 0;
  }
  SUBCASE("an id that would sort before all others") {
    beyond.commands[0].id = uint64_t{1} << 63;
  }
  SUBCASE("no verb") {
    beyond.commands[0].verb.clear();
  }
  SUBCASE("too much text") {
    beyond.commands[0].detail = std::string(4097, 'x');
  }
  const Result<void> refused = store.commit(beyond);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid);
  CHECK(well(store.commands(10)).empty());
}

TEST_CASE("history: waiting writes hold of each command the newest, and no more than are kept") {
  WaitingWrites waiting;
  waiting.merge(batch_of({command_of(1, "open"), command_of(2, "open")}));
  waiting.merge(batch_of({command_of(1)}));
  CHECK(waiting.take().commands == std::vector<CommandRecord>{command_of(1), command_of(2, "open")});
  CHECK(waiting.take().empty());
  for (uint64_t id = 1; id <= kCommandsKept + 2; ++id) waiting.merge(batch_of({command_of(id)}));
  const StoreBatch bounded = waiting.take();
  CHECK(bounded.commands.size() == kCommandsKept);
  CHECK(bounded.commands.front().id == 3);
}

TEST_CASE("history: a database of version 4 gets its table, and keeps what it has") {
  TemporaryFolder folder;
  StoreBatch before;
  before.games.push_back({.name = "tanks", .configured = "a", .current = "b", .previous = "c"});
  {
    Store store = open_well(folder.file());
    well(store.commit(before));
  }
  Raw(folder.file())
      .run(
          "DROP TABLE history; DROP TABLE lifecycle_events; DROP TABLE result_types; DROP TABLE result_versions; DROP TABLE "
          "result_arenas;"
          "DROP INDEX results_by_time; ALTER TABLE results DROP COLUMN player; ALTER TABLE results DROP COLUMN version;"
          "PRAGMA user_version = 4");
  Store store = open_well(folder.file());
  CHECK(well(store.games()) == before.games);
  well(store.commit(batch_of({command_of(1)})));
  CHECK(well(store.commands(10)) == std::vector<CommandRecord>{command_of(1)});
}
