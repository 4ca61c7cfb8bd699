#include "state/result_tables.h"

#include <utility>

#include <xxhash.h>

#include "ipc/mutant.h"

namespace arenad {
namespace {

using sqlite::Blob;
using sqlite::Row;
using sqlite::to_column;

// A row of a page: the result, and what is known of its arena and its version. `selected` says which results are looked at, and no others are,
// whatever becomes of them then.
std::string page_of(const std::string& selected, const std::string& order) {
  return "SELECT r.at, r.arena, r.sequence, r.seat, r.type, r.bytes, r.recorded_unix_ms, r.player, coalesce(v.game, ''),"
         " coalesce(v.code, ''), coalesce(v.version, ''), coalesce(v.types, 0), coalesce(a.name, '') FROM (SELECT arena, "
         "sequence,"
         " seat, type, bytes, recorded_unix_ms, player, version, " +
         selected +
         ") AS r LEFT JOIN result_versions AS v ON v.id = r.version LEFT JOIN result_arenas AS a ON a.arena = r.arena ORDER "
         "BY " +
         order;
}

std::string hash_of(const std::string& types) {
  const XXH128_hash_t hash = XXH3_128bits(types.data(), types.size());
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return {reinterpret_cast<const char*>(bytes.digest), sizeof bytes.digest};
}

}  // namespace

int ResultTables::prepare(sqlite3* db) {
  const std::string of_arena =
      page_of("sequence AS at FROM results WHERE arena = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3", "r.at DESC");
  const std::string newest = page_of(
      "rowid AS at FROM results WHERE recorded_unix_ms >= ?1 AND (recorded_unix_ms, rowid) < (?2, ?3)"
      " ORDER BY recorded_unix_ms DESC, rowid DESC LIMIT ?4",
      "r.recorded_unix_ms DESC, r.at DESC");
  struct Text {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Text texts[] = {
      {&write_arena_, "INSERT OR REPLACE INTO result_arenas (arena, name) VALUES (?1, ?2)"},
      {&write_types_, "INSERT OR IGNORE INTO result_types (hash, bytes) VALUES (?1, ?2)"},
      {&write_version_,
       "INSERT INTO result_versions (game, code, version, types)"
       " VALUES (?1, ?2, ?3, coalesce((SELECT id FROM result_types WHERE hash = ?4), 0))"
       " ON CONFLICT (game, code) DO UPDATE SET version = CASE ?3 WHEN '' THEN version ELSE ?3 END,"
       " types = CASE excluded.types WHEN 0 THEN types ELSE excluded.types END"},
      {&write_result_,
       "INSERT OR IGNORE INTO results (arena, sequence, seat, type, bytes, recorded_unix_ms, player, version)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
       "  coalesce((SELECT id FROM result_versions WHERE game = ?8 AND code = ?9), 0))"},
      {&read_results_,
       "SELECT r.sequence, r.seat, r.type, r.bytes, r.recorded_unix_ms, r.player, coalesce(v.game, ''), coalesce(v.code, '')"
       " FROM results AS r LEFT JOIN result_versions AS v ON v.id = r.version WHERE r.arena = ?1 ORDER BY r.sequence"},
      {&read_latest_sequence_, "SELECT max(sequence) FROM results WHERE arena = ?1"},
      {&read_of_arena_, of_arena.c_str()},
      {&read_newest_, newest.c_str()},
      {&read_types_, "SELECT hash, bytes FROM result_types WHERE id = ?1"},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db, text.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

// ---- Writing ----

int ResultTables::write(const StoreBatch& batch) {
  int code = SQLITE_OK;
  for (const ResultArenaRecord& arena : batch.result_arenas) {
    if (code == SQLITE_OK) code = write_arena_.run(arena.arena, arena.name);
  }
  for (const ResultVersionRecord& version : batch.result_versions) {
    if (code == SQLITE_OK) code = write_version(version);
  }
  for (const ResultRecord& result : batch.results) {
    if (code == SQLITE_OK) code = write_result(result);
  }
  return code;
}

int ResultTables::write_version(const ResultVersionRecord& version) {
  if (version.types.empty()) return write_version_.run(version.game, version.code, version.version, Blob{""});
  const std::string hash = hash_of(version.types);
  const int code = write_types_.run(Blob{hash}, Blob{version.types});
  return code == SQLITE_OK ? write_version_.run(version.game, version.code, version.version, Blob{hash}) : code;
}

int ResultTables::write_result(const ResultRecord& result) {
  if (ARENAD_MUTANT("results.one_left_out") && result.sequence == 3) return SQLITE_OK;
  return write_result_.run(result.arena, to_column(result.sequence), int64_t{result.seat}, to_column(result.type),
                           Blob{result.bytes}, result.recorded_unix_ms, result.player, result.game, result.code);
}

// ---- Reading ----

int ResultTables::read_results(ArenaId arena, std::vector<ResultRecord>& results) {
  return read_results_.each(
      [&](const Row& row) {
        results.push_back({.arena = arena,
                           .sequence = row.word(0),
                           .seat = static_cast<uint32_t>(row.number(1)),
                           .type = row.word(2),
                           .bytes = row.bytes(3),
                           .recorded_unix_ms = row.number(4),
                           .player = row.bytes(5),
                           .game = row.bytes(6),
                           .code = row.bytes(7)});
      },
      arena);
}

int ResultTables::read_latest_sequence(ArenaId arena, std::optional<uint64_t>& latest) {
  return read_latest_sequence_.each(
      [&](const Row& row) {
        if (!row.is_null(0)) latest = row.word(0);
      },
      arena);
}

int ResultTables::read_page(const ResultQuery& query, ResultPage& page) {
  int64_t looked_at = 0;
  size_t bytes = 0;
  bool is_full = false;
  const auto take = [&](const Row& row) {
    ++looked_at;
    if (is_full) return;
    const ResultPosition at{.recorded_unix_ms = row.number(6), .row = row.number(0)};
    const bool is_wanted = (query.game.empty() || row.bytes(8) == query.game) && row.number(6) >= query.since_unix_ms;
    if (is_wanted && bytes >= kResultPageBytes) {
      is_full = true;
      return;
    }
    page.next = at;
    if (!is_wanted) return;
    FoundResult found{.record = {.arena = row.arena(1),
                                 .sequence = row.word(2),
                                 .seat = static_cast<uint32_t>(row.number(3)),
                                 .type = row.word(4),
                                 .bytes = row.bytes(5),
                                 .recorded_unix_ms = row.number(6),
                                 .player = row.bytes(7),
                                 .game = row.bytes(8),
                                 .code = row.bytes(9)},
                      .version = row.bytes(10),
                      .types = row.word(11),
                      .arena_name = row.bytes(12)};
    bytes += found.record.bytes.size();
    page.results.push_back(std::move(found));
  };
  page.next = query.before;
  const int64_t most = kResultPageRows;
  const int code = query.arena
                       ? read_of_arena_.each(take, *query.arena, query.before.row, most)
                       : read_newest_.each(take, query.since_unix_ms, query.before.recorded_unix_ms, query.before.row, most);
  page.more = is_full || looked_at == most;
  return code;
}

int ResultTables::read_types(uint64_t id, const OnDamage& on_damage, std::optional<std::string>& types) {
  return read_types_.each(
      [&](const Row& row) {
        std::string bytes = row.bytes(1);
        if (hash_of(bytes) != row.bytes(0)) return on_damage("types " + std::to_string(id) + " of results: hash");
        types = std::move(bytes);
      },
      to_column(id));
}

}  // namespace arenad
