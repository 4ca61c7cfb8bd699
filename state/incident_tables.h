// The tables of version 2 of the database (migrations.cc): incidents and quarantine, and the counters that belong to them.
// Belongs to one StoreConnection, as StoreTables does and under the same rules: a failure is SQLite's result code, and the
// transaction is the caller's.
//
// Invariants: a batch may be written again, in whole, with the effect of once. The first row of a unique key stays. Of each
// arena as many deaths and slow frames stay as limits.h says, and so many of all arenas together, the newest. An id that a
// batch in the database has used is never below read_latest_*(), whatever became of its row. A row that is not to be believed
// (records_check.h) is not among the records that are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "state/records.h"
#include "state/sqlite.h"
#include "state/store_tables.h"

namespace arenad {

class IncidentTables {
 public:
  // Once, before all else. Fails if the database has other tables.
  int prepare(sqlite3* db);

  // Once, when the database is opened: makes good what another program did to the table behind the counter's back.
  int count_incidents();

  // Stops at the first failure, and leaves it to the caller to take the transaction back.
  int write(const StoreBatch& batch);

  // Each gives what it finds to its last parameter, in the order that store.h promises.
  int read_incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest, const OnDamage& on_damage,
                     std::vector<IncidentRecord>& incidents);
  int read_slow_frames(uint64_t before, size_t newest, const OnDamage& on_damage, std::vector<IncidentRecord>& incidents);
  int read_incident(uint64_t id, const OnDamage& on_damage, std::optional<IncidentRecord>& incident);
  int read_latest_incident(uint64_t& latest);
  int read_quarantine(std::optional<ArenaId> arena, const OnDamage& on_damage, std::vector<QuarantineRecord>& entries);
  int read_quarantined(uint64_t id, const OnDamage& on_damage, std::optional<QuarantineRecord>& entry);
  int read_latest_quarantined(uint64_t& latest);

 private:
  int write_incidents(const std::vector<IncidentRecord>& incidents);
  int write_incident(const IncidentRecord& incident);
  int complete_incident(const IncidentRecord& incident);
  int prune_incidents(ArenaId arena);
  int write_quarantine(const StoreBatch& batch);
  int write_quarantined(const QuarantineRecord& entry);

  sqlite::Statement recount_incidents_;
  sqlite::Statement write_incident_;
  sqlite::Statement count_written_;
  sqlite::Statement complete_incident_;
  sqlite::Statement prune_deaths_;
  sqlite::Statement prune_slow_;
  sqlite::Statement prune_all_;
  sqlite::Statement count_pruned_;
  sqlite::Statement forget_quarantine_;
  sqlite::Statement unquarantine_;
  sqlite::Statement write_quarantined_;
  sqlite::Statement use_up_id_;
  sqlite::Statement read_incidents_;
  sqlite::Statement read_deaths_;
  sqlite::Statement read_incidents_of_arena_;
  sqlite::Statement read_deaths_of_arena_;
  sqlite::Statement read_slow_frames_;
  sqlite::Statement read_incident_;
  sqlite::Statement read_latest_incident_;
  sqlite::Statement read_quarantine_;
  sqlite::Statement read_quarantine_of_arena_;
  sqlite::Statement read_quarantined_;
  sqlite::Statement read_latest_quarantined_;
};

}  // namespace arenad
