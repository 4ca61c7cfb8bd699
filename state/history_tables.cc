#include "state/history_tables.h"

namespace arenad {

using sqlite::Row;
using sqlite::to_column;

int HistoryTables::prepare(sqlite3* db) {
  struct Text {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Text texts[] = {
      {&write_command_,
       "INSERT OR REPLACE INTO history (id, at_unix_ms, pid, uid, gid, verb, subject, outcome, detail)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      {&forget_old_, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?1"},
      {&read_commands_,
       "SELECT id, at_unix_ms, pid, uid, gid, verb, subject, outcome, detail FROM history ORDER BY id DESC LIMIT ?1"},
      {&read_latest_, "SELECT max(id) FROM history"},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db, text.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int HistoryTables::write(const StoreBatch& batch) {
  int code = SQLITE_OK;
  for (const CommandRecord& command : batch.commands) {
    if (code != SQLITE_OK) return code;
    code = write_command_.run(to_column(command.id), command.at_unix_ms, int64_t{command.pid}, int64_t{command.uid},
                              int64_t{command.gid}, command.verb, command.subject, command.outcome, command.detail);
  }
  if (code != SQLITE_OK || batch.commands.empty()) return code;
  return forget_old_.run(to_column(kCommandsKept));
}

int HistoryTables::read_commands(uint64_t newest, std::vector<CommandRecord>& commands) {
  return read_commands_.each(
      [&](const Row& row) {
        commands.push_back({.id = row.word(0),
                            .at_unix_ms = row.number(1),
                            .pid = static_cast<uint32_t>(row.number(2)),
                            .uid = static_cast<uint32_t>(row.number(3)),
                            .gid = static_cast<uint32_t>(row.number(4)),
                            .verb = row.bytes(5),
                            .subject = row.bytes(6),
                            .outcome = row.bytes(7),
                            .detail = row.bytes(8)});
      },
      to_column(newest));
}

int HistoryTables::read_latest(uint64_t& id) {
  id = 0;
  return read_latest_.each([&](const Row& row) {
    if (!row.is_null(0)) id = row.word(0);
  });
}

}  // namespace arenad
