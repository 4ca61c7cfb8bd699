// Results in the database, and what reads them when their arena is forgotten and their game is gone.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "state/migrations.h"
#include "state/store.h"
#include "tests/support/raw_database.h"
#include "tests/support/temporary_folder.h"

using namespace arenad;
using test::Raw;
using test::TemporaryFolder;

namespace {

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = 0xfedc'ba98'7654'3210};
}

std::string code_of(int n) {
  return std::string(31, '0') + std::to_string(n);
}

ResultRecord result_of(uint64_t n, uint64_t sequence, const std::string& game = "tanks") {
  return {.arena = id_of(n),
          .sequence = sequence,
          .seat = static_cast<uint32_t>(sequence % 64),
          .type = 0xfedc'ba98'0000'0000,
          .bytes = "result " + std::to_string(sequence),
          .recorded_unix_ms = static_cast<int64_t>(1'000 * n + sequence),
          .player = "player " + std::to_string(sequence % 3),
          .game = game,
          .code = code_of(1)};
}

ResultVersionRecord version_of(const std::string& game, int code, const std::string& types) {
  return {.game = game, .code = code_of(code), .version = "1." + std::to_string(code), .types = types};
}

template <class T>
T well(Result<T> result) {
  REQUIRE_MESSAGE(result, result.error().text());
  return std::move(*result);
}
void well(const Result<void>& result) {
  REQUIRE_MESSAGE(result, result.error().text());
}

Store open_well(const std::string& path) {
  Store::Opened opened = well(Store::open(path));
  REQUIRE_MESSAGE(!opened.notice, *opened.notice);
  return std::move(opened.store);
}

std::vector<std::string> names_of(const ResultPage& page) {
  std::vector<std::string> names;
  for (const FoundResult& found : page.results) {
    names.push_back(std::to_string(found.record.arena.high & 0xff) + "/" + std::to_string(found.record.sequence));
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("results: a page tells whose they are and has what reads them, also when the arena is forgotten") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    StoreBatch batch;
    batch.results = {result_of(1, 1), result_of(1, 2)};
    batch.result_arenas = {{id_of(1), "battle-1"}};
    batch.result_versions = {version_of("tanks", 1, "the types")};
    well(store.commit(batch));
    well(store.commit({.forgotten = {id_of(1)}}));
  }
  Store store = open_well(folder.file());
  const ResultPage page = well(store.result_page({.game = "tanks"}));
  REQUIRE(names_of(page) == Names{"1/2", "1/1"});
  CHECK_FALSE(page.more);
  const FoundResult& found = page.results[1];
  CHECK(found.record == result_of(1, 1));
  CHECK(found.arena_name == "battle-1");
  CHECK(found.version == "1.1");
  CHECK(well(store.result_types(found.types)) == "the types");
  CHECK(well(store.results(id_of(1))) == std::vector<ResultRecord>{result_of(1, 1), result_of(1, 2)});
}

TEST_CASE("results: types are kept once for each content, and a version keeps those that it has") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  for (const int code : {1, 2, 3}) {
    StoreBatch batch;
    batch.result_versions = {version_of("tanks", code, code == 3 ? "others" : "the types")};
    well(store.commit(batch));
  }
  Raw raw(folder.file());
  CHECK(raw.ask("SELECT count(*) FROM result_types") == "2");
  CHECK(raw.ask("SELECT count(*) FROM result_versions") == "3");

  // An arenad that has adopted an arena has not loaded its module yet.
  StoreBatch untold;
  untold.result_versions = {version_of("tanks", 1, "")};
  untold.result_versions[0].version.clear();
  untold.results = {result_of(1, 1)};
  well(store.commit(untold));
  const ResultPage page = well(store.result_page({}));
  REQUIRE(page.results.size() == 1);
  CHECK(page.results[0].version == "1.1");
  CHECK(well(store.result_types(page.results[0].types)) == "the types");
}

TEST_CASE("results: those of a version that is not known are there all the same") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch batch;
  batch.results = {result_of(1, 1)};
  well(store.commit(batch));
  const ResultPage page = well(store.result_page({.arena = id_of(1)}));
  REQUIRE(page.results.size() == 1);
  CHECK(page.results[0].types == 0);
  CHECK(page.results[0].record.game.empty());
  CHECK(page.results[0].record.player == "player 1");
  CHECK(well(store.result_types(0)) == std::nullopt);
  CHECK(well(store.result_page({.game = "tanks"})).results.empty());
}

TEST_CASE("results: selected by arena, game and time") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch batch;
  batch.result_versions = {version_of("tanks", 1, "types"), version_of("duel", 1, "types")};
  batch.results = {result_of(1, 1), result_of(1, 2), result_of(2, 1, "duel"), result_of(3, 1), result_of(3, 2, "duel")};
  well(store.commit(batch));
  CHECK(names_of(well(store.result_page({}))) == Names{"3/2", "3/1", "2/1", "1/2", "1/1"});
  CHECK(names_of(well(store.result_page({.game = "tanks"}))) == Names{"3/1", "1/2", "1/1"});
  CHECK(names_of(well(store.result_page({.game = "chess"}))).empty());
  CHECK(names_of(well(store.result_page({.since_unix_ms = 1'002}))) == Names{"3/2", "3/1", "2/1", "1/2"});
  CHECK(names_of(well(store.result_page({.arena = id_of(1)}))) == Names{"1/2", "1/1"});
  CHECK(names_of(well(store.result_page({.arena = id_of(1), .since_unix_ms = 1'002}))) == Names{"1/2"});
  CHECK(names_of(well(store.result_page({.arena = id_of(3), .game = "duel"}))) == Names{"3/2"});
  CHECK(names_of(well(store.result_page({.arena = id_of(9)}))).empty());
}

TEST_CASE("results: page by page each comes once, also of one time") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  constexpr uint64_t kResults = 2 * kResultPageRows + 1;
  StoreBatch batch;
  batch.result_versions = {version_of("tanks", 1, "types"), version_of("duel", 1, "types")};
  for (uint64_t i = 1; i <= kResults; ++i) {
    batch.results.push_back(result_of(1, i, i % 1'500 == 0 ? "duel" : "tanks"));
    batch.results.back().recorded_unix_ms = 5;
  }
  well(store.commit(batch));
  const auto read = [&](ResultQuery query) {
    std::vector<uint64_t> sequences;
    size_t pages = 0;
    for (bool more = true; more; ++pages) {
      const ResultPage page = well(store.result_page(query));
      for (const FoundResult& found : page.results) sequences.push_back(found.record.sequence);
      query.before = page.next;
      more = page.more;
    }
    CHECK(pages == 3);
    return sequences;
  };
  for (const std::optional<ArenaId> arena : {std::optional<ArenaId>(), std::optional(id_of(1))}) {
    const std::vector<uint64_t> all = read({.arena = arena});
    REQUIRE(all.size() == kResults);
    for (uint64_t i = 0; i < kResults; ++i) REQUIRE(all[i] == kResults - i);
    // A page may have nothing of what is asked for, and others follow.
    CHECK(read({.arena = arena, .game = "duel"}) == std::vector<uint64_t>{1'500});
  }
}

TEST_CASE("results: a page ends when its messages are enough for an answer") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  constexpr size_t kBytes = 32 * 1024;
  constexpr uint64_t kInPage = kResultPageBytes / kBytes;
  StoreBatch batch;
  for (uint64_t i = 1; i <= kInPage + 1; ++i) {
    batch.results.push_back(result_of(1, i));
    batch.results.back().bytes.assign(kBytes, 'r');
  }
  well(store.commit(batch));
  ResultQuery query;
  const ResultPage first = well(store.result_page(query));
  CHECK(first.results.size() == kInPage);
  CHECK(first.more);
  query.before = first.next;
  const ResultPage second = well(store.result_page(query));
  CHECK(names_of(second) == Names{"1/1"});
  CHECK_FALSE(second.more);
}

TEST_CASE("results: damaged types are skipped, and that is told") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch batch;
  batch.result_versions = {version_of("tanks", 1, "the types")};
  well(store.commit(batch));
  Raw(folder.file()).run("UPDATE result_types SET bytes = CAST('the Types' AS BLOB)");
  CHECK(well(store.result_types(1)) == std::nullopt);
  CHECK(store.skipped_rows() == 1);
}

TEST_CASE("results: a database of version 6 goes on, and what is known of its results is told") {
  TemporaryFolder folder;
  {
    Raw raw(folder.file());
    raw.run("PRAGMA journal_mode = WAL; BEGIN");
    for (const Migration& migration : known_migrations()) {
      if (migration.version <= 6) raw.run(migration.sql);
    }
    raw.run("PRAGMA application_id = " + std::to_string(0x4172656e) + "; PRAGMA user_version = 6; COMMIT");
    const std::string known = "x'0191000000000001fedcba9876543210'";
    raw.run("INSERT INTO arenas VALUES (" + known + ", 'battle-1', 'tanks', '" + code_of(1) + "', 'ended', 3, 0, 0, '', 0, 0)");
    raw.run("INSERT INTO results VALUES (" + known + ", 1, 2, 7, CAST('result' AS BLOB), 1001)");
    raw.run("INSERT INTO results VALUES (x'0191000000000002fedcba9876543210', 1, 2, 7, CAST('result' AS BLOB), 1000)");
  }
  Store store = open_well(folder.file());
  const ResultPage page = well(store.result_page({}));
  REQUIRE(names_of(page) == Names{"1/1", "2/1"});
  CHECK(page.results[0].arena_name == "battle-1");
  CHECK(page.results[0].record.game == "tanks");
  CHECK(page.results[0].record.code == code_of(1));
  CHECK(page.results[0].types == 0);
  CHECK(page.results[1].arena_name.empty());
  CHECK(page.results[1].record.game.empty());

  // When the version records again, its types are known, also for what it had recorded before.
  StoreBatch batch;
  batch.result_versions = {version_of("tanks", 1, "the types")};
  well(store.commit(batch));
  CHECK(well(store.result_types(well(store.result_page({})).results[0].types)) == "the types");
}
