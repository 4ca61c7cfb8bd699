// The tables of schema.sql but that of results (result_tables.h): for each kind of record the SQL that writes and reads it. Belongs to one StoreConnection, which
// brings the transaction, the database handle and the words for a failure; here a failure is SQLite's result code.
//
// Invariants: a batch may be written again, in whole, with the effect of once. Of an arena the two newest checkpoints stay. A
// row that is not to be believed (records_check.h) is not among the records that are read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"

namespace arenad {

// Gets the words for a row that is not to be believed.
using OnDamage = std::function<void(const std::string&)>;

class StoreTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // Each adds what it finds to its last parameter, in the order that store.h promises.
  int read_arenas(const OnDamage& on_damage, std::vector<ArenaRecord>& arenas);
  int read_games(std::vector<GameRecord>& games);
  int read_checkpoints(ArenaId arena, const OnDamage& on_damage, std::vector<CheckpointRecord>& checkpoints);

 private:
  int forget(ArenaId arena);
  int write_arena(const ArenaRecord& arena);
  int write_checkpoint(const CheckpointRecord& checkpoint);

  sqlite::Statement count_commit_;
  sqlite::Statement forget_checkpoints_;
  sqlite::Statement forget_arena_;
  sqlite::Statement write_arena_;
  sqlite::Statement forget_params_;
  sqlite::Statement write_param_;
  sqlite::Statement write_checkpoint_;
  sqlite::Statement prune_checkpoints_;
  sqlite::Statement read_arenas_;
  sqlite::Statement write_game_;
  sqlite::Statement read_games_;
  sqlite::Statement read_params_;
  sqlite::Statement read_checkpoints_;
};

}  // namespace arenad
