#include "state/rollout_tables.h"

#include <sstream>
#include <utility>

namespace arenad {
namespace {

using sqlite::Row;
using sqlite::to_column;

std::string lines_of(const std::vector<std::string>& texts) {
  std::string lines;
  for (const std::string& text : texts) lines += text + "\n";
  return lines;
}

std::vector<std::string> texts_of(const std::string& lines) {
  std::vector<std::string> texts;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) texts.push_back(line);
  return texts;
}

}  // namespace

int RolloutTables::prepare(sqlite3* db) {
  struct Text {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Text texts[] = {
      {&forget_others_, "DELETE FROM rollouts WHERE game = ?1 AND id <> ?2"},
      // Never replaced: its arenas would go with it.
      {&write_rollout_,
       "INSERT INTO rollouts (id, game, from_code, to_code, current_code, previous_code, from_version, to_version, canary,"
       " batch, batch_percent, on_failure, probation_ms, probation_frames, selection, state, paused, pinned, began_unix_ms,"
       " ended_unix_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
       " ON CONFLICT (id) DO UPDATE SET game = ?2, from_code = ?3, to_code = ?4, current_code = ?5, previous_code = ?6,"
       " from_version = ?7, to_version = ?8, canary = ?9, batch = ?10, batch_percent = ?11, on_failure = ?12,"
       " probation_ms = ?13, probation_frames = ?14, selection = ?15, state = ?16, paused = ?17, pinned = ?18,"
       " began_unix_ms = ?19, ended_unix_ms = ?20"},
      {&write_arena_,
       "INSERT OR REPLACE INTO rollout_arenas (rollout, arena, position, standing, why)"
       " SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM rollouts WHERE id = ?1)"},
      {&read_rollouts_,
       "SELECT id, game, from_code, to_code, current_code, previous_code, from_version, to_version, canary, batch,"
       " batch_percent, on_failure, probation_ms, probation_frames, selection, state, paused, pinned, began_unix_ms,"
       " ended_unix_ms FROM rollouts ORDER BY game"},
      {&read_arenas_, "SELECT arena, position, standing, why FROM rollout_arenas WHERE rollout = ?1 ORDER BY position, arena"},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db, text.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int RolloutTables::write(const StoreBatch& batch) {
  int code = SQLITE_OK;
  for (const RolloutRecord& rollout : batch.rollouts) {
    if (code == SQLITE_OK) code = write_rollout(rollout);
  }
  for (const RolloutArenaRecord& arena : batch.rollout_arenas) {
    if (code != SQLITE_OK) break;
    code = write_arena_.run(to_column(arena.rollout), arena.arena, to_column(arena.position), arena.standing, arena.why);
  }
  return code;
}

int RolloutTables::write_rollout(const RolloutRecord& rollout) {
  const int code = forget_others_.run(rollout.game, to_column(rollout.id));
  if (code != SQLITE_OK) return code;
  return write_rollout_.run(to_column(rollout.id), rollout.game, rollout.from, rollout.to, rollout.current, rollout.previous,
                            rollout.from_version, rollout.to_version, int64_t{rollout.canary}, int64_t{rollout.batch},
                            int64_t{rollout.batch_percent}, rollout.on_failure, to_column(rollout.probation_ms),
                            to_column(rollout.probation_frames), lines_of(rollout.selection), rollout.state,
                            int64_t{rollout.paused}, int64_t{rollout.pinned}, rollout.began_unix_ms, rollout.ended_unix_ms);
}

int RolloutTables::read_rollouts(std::vector<RolloutRecord>& rollouts) {
  return read_rollouts_.each([&](const Row& row) {
    rollouts.push_back({.id = row.word(0),
                        .game = row.bytes(1),
                        .from = row.bytes(2),
                        .to = row.bytes(3),
                        .current = row.bytes(4),
                        .previous = row.bytes(5),
                        .from_version = row.bytes(6),
                        .to_version = row.bytes(7),
                        .canary = static_cast<uint32_t>(row.number(8)),
                        .batch = static_cast<uint32_t>(row.number(9)),
                        .batch_percent = static_cast<uint32_t>(row.number(10)),
                        .on_failure = row.bytes(11),
                        .probation_ms = row.word(12),
                        .probation_frames = row.word(13),
                        .selection = texts_of(row.bytes(14)),
                        .state = row.bytes(15),
                        .paused = row.number(16) != 0,
                        .pinned = static_cast<uint32_t>(row.number(17)),
                        .began_unix_ms = row.number(18),
                        .ended_unix_ms = row.number(19)});
  });
}

int RolloutTables::read_arenas(uint64_t rollout, std::vector<RolloutArenaRecord>& arenas) {
  return read_arenas_.each(
      [&](const Row& row) {
        arenas.push_back({.rollout = rollout,
                          .arena = row.arena(0),
                          .position = row.word(1),
                          .standing = row.bytes(2),
                          .why = row.bytes(3)});
      },
      to_column(rollout));
}

}  // namespace arenad
