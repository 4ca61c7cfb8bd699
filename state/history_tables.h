// The table of what was asked of arenad (version 5, migrations.cc): the SQL that writes and reads it. Belongs to one StoreConnection, as
// store_tables.h does.
//
// Invariant: after each write there are at most kCommandsKept rows with ids below the highest.
#pragma once

#include <cstdint>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"

namespace arenad {

class HistoryTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // Adds the newest to its last parameter, newest first.
  int read_commands(uint64_t newest, std::vector<CommandRecord>& commands);
  // 0: there is none.
  int read_latest(uint64_t& id);

 private:
  sqlite::Statement write_command_;
  sqlite::Statement forget_old_;
  sqlite::Statement read_commands_;
  sqlite::Statement read_latest_;
};

}  // namespace arenad
