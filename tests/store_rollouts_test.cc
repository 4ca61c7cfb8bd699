// Rollouts in the durable store: of each game the last one, with its arenas, over closing, merging and from an older database.
#include <algorithm>

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

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = 0xfedc'ba98'7654'3210};
}

// With another value in each field.
RolloutRecord rollout_of(uint64_t id, const std::string& game) {
  return {.id = id,
          .game = game,
          .from = "00112233445566778899aabbccddeeff",
          .to = "ffeeddccbbaa99887766554433221100",
          .current = "0123456789abcdef0123456789abcdef",
          .previous = "",
          .from_version = "1.2.0",
          .to_version = "1.3.0 'beta'",
          .canary = 2,
          .batch = UINT32_MAX,
          .batch_percent = 25,
          .on_failure = "rollback-all",
          .probation_ms = 5000,
          .probation_frames = UINT64_MAX,
          .selection = {"duel-*", "", "ladder-1"},
          .state = "rolling",
          .paused = true,
          .pinned = 3,
          .began_unix_ms = 1'700'000'000'000,
          .ended_unix_ms = 1'700'000'000'001};
}

RolloutArenaRecord arena_of(uint64_t rollout, uint64_t n, const std::string& standing, uint64_t position) {
  return {.rollout = rollout,
          .arena = id_of(n),
          .position = position,
          .standing = standing,
          .why = standing == "failed" ? "signal=SEGV in frame 812" : ""};
}

StoreBatch batch_of(std::vector<RolloutRecord> rollouts, std::vector<RolloutArenaRecord> arenas) {
  StoreBatch batch;
  batch.rollouts = std::move(rollouts);
  batch.rollout_arenas = std::move(arenas);
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

TEST_CASE("rollouts: everything written is read again, also after closing, and written twice it is there once") {
  TemporaryFolder folder;
  RolloutRecord plain{.id = 1, .game = "duel"};
  const StoreBatch batch = batch_of({rollout_of(7, "tanks"), plain}, {arena_of(7, 1, "failed", 2), arena_of(7, 2, "passed", 0),
                                                                      arena_of(7, 3, "waiting", 1), arena_of(1, 1, "gone", 0)});
  {
    Store store = open_well(folder.file());
    CHECK(well(store.rollouts()).empty());
    CHECK(well(store.rollout_arenas(7)).empty());
    well(store.commit(batch));
    well(store.commit(batch));
  }
  Store store = open_well(folder.file());
  CHECK(well(store.rollouts()) == std::vector<RolloutRecord>{plain, rollout_of(7, "tanks")});
  CHECK(well(store.rollout_arenas(7)) == std::vector<RolloutArenaRecord>{arena_of(7, 2, "passed", 0),
                                                                         arena_of(7, 3, "waiting", 1),
                                                                         arena_of(7, 1, "failed", 2)});
  CHECK(well(store.rollout_arenas(1)) == std::vector<RolloutArenaRecord>{arena_of(1, 1, "gone", 0)});
}

TEST_CASE("rollouts: as it goes on its row is replaced, and its arenas stay") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(batch_of({rollout_of(7, "tanks")}, {arena_of(7, 1, "waiting", 0), arena_of(7, 2, "waiting", 1)})));
  RolloutRecord later = rollout_of(7, "tanks");
  later.state = "failed";
  later.paused = false;
  later.selection.clear();
  well(store.commit(batch_of({later}, {arena_of(7, 2, "failed", 1)})));
  CHECK(well(store.rollouts()) == std::vector<RolloutRecord>{later});
  CHECK(well(store.rollout_arenas(7)) ==
        std::vector<RolloutArenaRecord>{arena_of(7, 1, "waiting", 0), arena_of(7, 2, "failed", 1)});
}

TEST_CASE("rollouts: of each game the last one stays, and what comes late of another is left out") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(batch_of({rollout_of(7, "tanks"), rollout_of(8, "duel")}, {arena_of(7, 1, "passed", 0)})));
  well(store.commit(batch_of({rollout_of(9, "tanks")}, {arena_of(9, 2, "waiting", 0)})));
  well(store.commit(batch_of({}, {arena_of(7, 3, "passed", 1)})));
  CHECK(well(store.rollouts()) == std::vector<RolloutRecord>{rollout_of(8, "duel"), rollout_of(9, "tanks")});
  CHECK(well(store.rollout_arenas(7)).empty());
  CHECK(well(store.rollout_arenas(9)) == std::vector<RolloutArenaRecord>{arena_of(9, 2, "waiting", 0)});
  CHECK(Raw(folder.file()).ask("SELECT count(*) FROM rollout_arenas") == "1");
}

TEST_CASE("rollouts: what could never be stored is invalid") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch beyond = batch_of({rollout_of(7, "tanks")}, {arena_of(7, 1, "waiting", 0)});
  SUBCASE("no id") {
    beyond.rollouts[0].id = 0;
  }
  SUBCASE("an id that would sort before all others") {
    beyond.rollouts[0].id = uint64_t{1} << 63;
  }
  SUBCASE("no game") {
    beyond.rollouts[0].game.clear();
  }
  SUBCASE("a glob that would be read as two") {
    beyond.rollouts[0].selection = {"duel-*\n*"};
  }
  SUBCASE("an arena of no rollout") {
    beyond.rollout_arenas[0].rollout = 0;
  }
  SUBCASE("an arena without an id") {
    beyond.rollout_arenas[0].arena = {};
  }
  const Result<void> refused = store.commit(beyond);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid);
  CHECK(well(store.rollouts()).empty());
}

TEST_CASE("rollouts: waiting writes hold of each the newest") {
  WaitingWrites waiting;
  RolloutRecord later = rollout_of(7, "tanks");
  later.state = "done";
  waiting.merge(
      batch_of({rollout_of(7, "tanks"), rollout_of(6, "duel")}, {arena_of(7, 1, "waiting", 0), arena_of(7, 2, "waiting", 1)}));
  waiting.merge(batch_of({later}, {arena_of(7, 1, "passed", 0)}));
  const StoreBatch merged = waiting.take();
  CHECK(merged.rollouts == std::vector<RolloutRecord>{rollout_of(6, "duel"), later});
  CHECK(merged.rollout_arenas == std::vector<RolloutArenaRecord>{arena_of(7, 1, "passed", 0), arena_of(7, 2, "waiting", 1)});
  CHECK(waiting.take().empty());
}

TEST_CASE("rollouts: the next one of a game, while the one before waits to be written") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  WaitingWrites waiting;
  waiting.merge(batch_of({rollout_of(7, "tanks")}, {arena_of(7, 1, "passed", 0)}));
  waiting.merge(batch_of({rollout_of(8, "tanks")}, {arena_of(8, 1, "waiting", 0)}));
  well(store.commit(waiting.take()));
  CHECK(well(store.rollouts()) == std::vector<RolloutRecord>{rollout_of(8, "tanks")});
  CHECK(well(store.rollout_arenas(7)).empty());
  CHECK(well(store.rollout_arenas(8)).size() == 1);
}

TEST_CASE("rollouts: a database of version 3 goes on with all that is in it") {
  TemporaryFolder folder;
  {
    Raw raw(folder.file());
    raw.run("PRAGMA journal_mode = WAL; BEGIN");
    for (const Migration& migration : known_migrations()) {
      if (migration.version <= 3) raw.run(migration.sql);
    }
    raw.run("PRAGMA application_id = " + std::to_string(0x4172656e) + "; PRAGMA user_version = 3; COMMIT");
    raw.run(
        "INSERT INTO arenas VALUES (x'0191000000000001fedcba9876543210', 'arena-1', 'tanks', 'code', 'running', 3, 0, 0, '', "
        "0, 1)");
    raw.run("INSERT INTO games VALUES ('tanks', 'a', 'b', 'c')");
  }
  for (int times = 0; times < 2; ++times) {
    Store store = open_well(folder.file());
    const std::vector<ArenaRecord> arenas = well(store.arenas());
    REQUIRE(arenas.size() == 1);
    CHECK(arenas[0].id == id_of(1));
    CHECK(arenas[0].code == "code");
    CHECK(arenas[0].pinned);
    CHECK(well(store.games()) == std::vector<GameRecord>{{"tanks", "a", "b", "c"}});
    CHECK(well(store.rollouts()).size() == (times == 0 ? 0 : 1));
    well(store.commit(batch_of({rollout_of(7, "tanks")}, {arena_of(7, 1, "waiting", 0)})));
    CHECK(well(store.rollout_arenas(7)).size() == 1);
  }
  Raw raw(folder.file());
  CHECK(raw.ask("PRAGMA user_version") == std::to_string(known_migrations().back().version));
  CHECK(raw.ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                " AND name NOT LIKE 'sqlite_%' AND strict = 0") == "0");
}
