// The tables of results: the results, and what makes them readable when the arena is forgotten and the game's module is gone: the arena's name,
// the version of the game that recorded them, and that version's types, which are kept once for each content. Belongs to one StoreConnection,
// as the tables of store_tables.h do.
//
// Invariants: the first result of a sequence stays. A version whose types are known once keeps them. Types that fail their hash are not among
// what is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"
#include "state/store_tables.h"

namespace arenad {

class ResultTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // By sequence.
  int read_results(ArenaId arena, std::vector<ResultRecord>& results);
  int read_latest_sequence(ArenaId arena, std::optional<uint64_t>& latest);
  int read_page(const ResultQuery& query, ResultPage& page);
  int read_types(uint64_t id, const OnDamage& on_damage, std::optional<std::string>& types);

 private:
  int write_version(const ResultVersionRecord& version);
  int write_result(const ResultRecord& result);

  sqlite::Statement write_arena_;
  sqlite::Statement write_types_;
  sqlite::Statement write_version_;
  sqlite::Statement write_result_;
  sqlite::Statement read_results_;
  sqlite::Statement read_latest_sequence_;
  sqlite::Statement read_of_arena_;
  sqlite::Statement read_newest_;
  sqlite::Statement read_types_;
};

}  // namespace arenad
