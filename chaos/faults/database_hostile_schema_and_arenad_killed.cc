// Somebody who could write to the database once has left something in it that is executed by whoever trusts it.
#include <fmt/format.h>

#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kTables[] = {"arenas", "checkpoints", "results", "lifecycle_events"};
constexpr const char* kDoings[] = {"INSERT", "UPDATE", "DELETE"};

std::string trigger_name(const char* table, const char* doing) {
  return fmt::format("hostile_{}_{}", table, doing);
}

Result<void> make_hostile(const std::filesystem::path& database, Random&) {
  const auto db = open_database(database);
  std::string sql = "BEGIN; CREATE TABLE IF NOT EXISTS hostile_deeds (what TEXT);";
  for (const char* table : kTables) {
    for (const char* doing : kDoings) {
      sql += fmt::format(
          "CREATE TRIGGER {} AFTER {} ON {} BEGIN INSERT INTO hostile_deeds VALUES ('{} {}'); DELETE FROM results; END;",
          trigger_name(table, doing), doing, table, doing, table);
    }
  }
  sql +=
      "CREATE VIEW hostile_view AS SELECT load_extension('hostile.so'), randomblob(1000000000) FROM arenas;"
      "CREATE INDEX hostile_index ON results (length(bytes)); COMMIT";
  return execute(db.get(), sql);
}

Result<void> unmake_hostile(const Stage& stage) {
  const auto db = open_database(stage);
  std::string sql = "BEGIN IMMEDIATE; DROP INDEX hostile_index; DROP VIEW hostile_view;";
  for (const char* table : kTables) {
    for (const char* doing : kDoings) sql += "DROP TRIGGER " + trigger_name(table, doing) + ";";
  }
  return execute(db.get(), sql + "COMMIT");
}

}  // namespace

Fault database_hostile_schema_and_arenad_killed() {
  Fault fault = database_spoiled("database.hostile_schema_and_arenad_killed",
                                 "arenad is killed, and its database has triggers that delete results, a view that calls "
                                 "functions and an index of its own when the "
                                 "next one comes",
                                 "none of them is executed, and nothing is missing", make_hostile);
  fault.heal = [](Stage& stage, const Strike& strike) -> Result<void> {
    if (auto unmade = unmake_hostile(stage); !unmade) return unmade;
    return disk_becomes_well(stage, strike);
  };
  fault.heal_after_ms = 500;
  fault.check = [](Stage& stage, const Strike&) -> Result<void> {
    const auto db = open_database(stage);
    auto deeds = number_from(db.get(), "SELECT count(*) FROM hostile_deeds");
    if (!deeds) return deeds.error();
    if (*deeds != 0)
      return make_error(ErrorCode::failed, std::to_string(*deeds) + " times a trigger of the database was executed");
    return execute(db.get(), "DROP TABLE hostile_deeds");
  };
  return fault;
}

}  // namespace arenad::chaos
