#include "state/store_tables.h"

#include <utility>

#include "ipc/mutant.h"
#include "state/records_check.h"

namespace arenad {

using sqlite::Blob;
using sqlite::Row;
using sqlite::to_column;

int StoreTables::prepare(sqlite3* db) {
  struct Text {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Text texts[] = {
      {&count_commit_, "UPDATE store SET commits = commits + 1"},
      {&forget_checkpoints_, "DELETE FROM checkpoints WHERE arena = ?1"},
      {&forget_arena_, "DELETE FROM arenas WHERE id = ?1"},
      {&write_arena_,
       "INSERT INTO arenas (id, name, game, code, disposition, epoch, created_unix_ms,"
       " changed_unix_ms, reason, restarts, pinned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
       " ON CONFLICT (id) DO UPDATE SET name = ?2, game = ?3, code = ?4, disposition = ?5,"
       " epoch = ?6, created_unix_ms = ?7, changed_unix_ms = ?8, reason = ?9, restarts = ?10, pinned = ?11"},
      {&forget_params_, "DELETE FROM arena_params WHERE arena = ?1"},
      {&write_param_, "INSERT INTO arena_params (arena, position, name, value) VALUES (?1, ?2, ?3, ?4)"},
      // A row that is already there was written by an earlier try, or is damaged and is healed by this.
      {&write_checkpoint_,
       "INSERT OR REPLACE INTO checkpoints (arena, epoch, frame, taken_unix_ms, checksum, bytes)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      // With fewer than two rows the inner select is NULL, and nothing is older than NULL.
      {&prune_checkpoints_,
       "DELETE FROM checkpoints WHERE arena = ?1 AND (epoch, frame) <"
       " (SELECT epoch, frame FROM checkpoints WHERE arena = ?1"
       "  ORDER BY epoch DESC, frame DESC LIMIT 1 OFFSET 1)"},
      {&read_arenas_,
       "SELECT id, name, game, code, disposition, epoch, created_unix_ms, changed_unix_ms,"
       " reason, restarts, pinned FROM arenas ORDER BY id"},
      {&write_game_, "INSERT OR REPLACE INTO games (name, configured, current, previous) VALUES (?1, ?2, ?3, ?4)"},
      {&read_games_, "SELECT name, configured, current, previous FROM games ORDER BY name"},
      {&read_params_, "SELECT name, value FROM arena_params WHERE arena = ?1 ORDER BY position"},
      {&read_checkpoints_,
       "SELECT epoch, frame, taken_unix_ms, checksum, bytes FROM checkpoints WHERE arena = ?1"
       " ORDER BY epoch DESC, frame DESC"},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db, text.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

// ---- Writing ----

int StoreTables::write(const StoreBatch& batch) {
  int code = count_commit_.run();
  const auto each = [&code](const auto& records, auto write_record) {
    for (const auto& record : records) {
      if (code != SQLITE_OK) return;
      code = write_record(record);
    }
  };
  each(batch.forgotten, [this](ArenaId id) { return forget(id); });
  each(batch.games,
       [this](const GameRecord& game) { return write_game_.run(game.name, game.configured, game.current, game.previous); });
  each(batch.arenas, [this](const ArenaRecord& arena) { return write_arena(arena); });
  each(batch.checkpoints, [this](const CheckpointRecord& taken) { return write_checkpoint(taken); });
  return code;
}

int StoreTables::forget(ArenaId arena) {
  const int code = forget_checkpoints_.run(arena);
  return code == SQLITE_OK ? forget_arena_.run(arena) : code;
}

int StoreTables::write_arena(const ArenaRecord& arena) {
  int code = write_arena_.run(arena.id, arena.name, arena.game, arena.code, std::string(to_string(arena.disposition)),
                              to_column(arena.epoch), arena.created_unix_ms, arena.changed_unix_ms, arena.reason,
                              to_column(arena.restarts), int64_t{arena.pinned});
  if (code == SQLITE_OK) code = forget_params_.run(arena.id);
  int64_t position = 0;
  for (const auto& [name, value] : arena.params) {
    if (code != SQLITE_OK) break;
    code = write_param_.run(arena.id, position++, name, value);
  }
  return code;
}

int StoreTables::write_checkpoint(const CheckpointRecord& checkpoint) {
  if (ARENAD_MUTANT("checkpoint.never_written")) return SQLITE_OK;
  const int code = write_checkpoint_.run(checkpoint.arena, to_column(checkpoint.epoch.value), to_column(checkpoint.frame.value),
                                         checkpoint.taken_unix_ms, to_column(checksum_of(checkpoint)), Blob{checkpoint.bytes});
  return code == SQLITE_OK ? prune_checkpoints_.run(checkpoint.arena) : code;
}

// ---- Reading ----

int StoreTables::read_arenas(const OnDamage& on_damage, std::vector<ArenaRecord>& arenas) {
  int code = read_arenas_.each([&](const Row& row) {
    ArenaRecord arena{.id = row.arena(0),
                      .name = row.bytes(1),
                      .game = row.bytes(2),
                      .code = row.bytes(3),
                      .params = {},
                      .disposition = ArenaDisposition::running,
                      .epoch = row.word(5),
                      .created_unix_ms = row.number(6),
                      .changed_unix_ms = row.number(7),
                      .reason = row.bytes(8),
                      .restarts = row.word(9),
                      .pinned = row.number(10) != 0};
    const std::string word = row.bytes(4);
    const std::optional<ArenaDisposition> disposition = parse_disposition(word);
    if (!disposition) return on_damage("arena " + arena.id.text() + ": disposition \"" + word + '"');
    arena.disposition = *disposition;
    arenas.push_back(std::move(arena));
  });
  for (ArenaRecord& arena : arenas) {
    if (code != SQLITE_OK) break;
    code = read_params_.each([&](const Row& row) { arena.params.emplace_back(row.bytes(0), row.bytes(1)); }, arena.id);
  }
  return code;
}

int StoreTables::read_games(std::vector<GameRecord>& games) {
  return read_games_.each([&](const Row& row) { games.push_back({row.bytes(0), row.bytes(1), row.bytes(2), row.bytes(3)}); });
}

int StoreTables::read_checkpoints(ArenaId arena, const OnDamage& on_damage, std::vector<CheckpointRecord>& checkpoints) {
  return read_checkpoints_.each(
      [&](const Row& row) {
        CheckpointRecord checkpoint{.arena = arena,
                                    .epoch = {row.word(0)},
                                    .frame = {row.word(1)},
                                    .taken_unix_ms = row.number(2),
                                    .bytes = row.bytes(4)};
        if (checksum_of(checkpoint) != row.word(3)) {
          return on_damage("checkpoint of arena " + arena.text() + ", epoch " + std::to_string(checkpoint.epoch.value) +
                           ", frame " + std::to_string(checkpoint.frame.value) + ": checksum");
        }
        checkpoints.push_back(std::move(checkpoint));
      },
      arena);
}

}  // namespace arenad
