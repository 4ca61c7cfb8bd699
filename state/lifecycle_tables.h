// The table of what has happened to arenas (version 6, migrations.cc): the SQL that writes and reads it. Belongs to one StoreConnection, as
// store_tables.h does.
//
// Invariant: after each write there are at most kLifecycleEventsKept rows, those with the highest numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"

namespace arenad {

class LifecycleTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // Adds all of them to its last parameter, by number.
  int read(std::vector<LifecycleRecord>& events);

 private:
  sqlite::Statement write_;
  sqlite::Statement forget_old_;
  sqlite::Statement read_;
};

}  // namespace arenad
