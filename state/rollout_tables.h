// The tables of rollouts (version 4, migrations.cc): the SQL that writes and reads them. Belongs to one StoreConnection, as store_tables.h
// does.
//
// Invariants: of each game one rollout is there, with its arenas. What is written of the arenas of another one is left out.
#pragma once

#include <cstdint>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"

namespace arenad {

class RolloutTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // Each adds what it finds to its last parameter.
  int read_rollouts(std::vector<RolloutRecord>& rollouts);
  int read_arenas(uint64_t rollout, std::vector<RolloutArenaRecord>& arenas);

 private:
  int write_rollout(const RolloutRecord& rollout);

  sqlite::Statement forget_others_;
  sqlite::Statement write_rollout_;
  sqlite::Statement write_arena_;
  sqlite::Statement read_rollouts_;
  sqlite::Statement read_arenas_;
};

}  // namespace arenad
