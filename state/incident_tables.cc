#include "state/incident_tables.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "ipc/limits.h"
#include "state/records_check.h"

namespace arenad {

using sqlite::Blob;
using sqlite::Row;
using sqlite::to_column;

namespace {

// Names in the table of counters.
const std::string kLatestIncident = "latest_incident";
const std::string kLatestQuarantined = "latest_quarantined";

IncidentRecord incident_at(const Row& row, IncidentKind kind) {
  return {.id = row.word(0),
          .arena = row.arena(1),
          .epoch = {row.word(2)},
          .frame = {row.word(3)},
          .kind = kind,
          .at_unix_ms = row.number(5),
          .report = row.bytes(7)};
}

// Nothing, and a word to on_damage, if the row is not to be believed.
std::optional<IncidentRecord> believed_incident(const Row& row, const OnDamage& on_damage) {
  const std::string word = row.bytes(4);
  const std::optional<IncidentKind> kind = parse_incident_kind(word);
  if (!kind) {
    on_damage("incident " + std::to_string(row.word(0)) + ": kind \"" + word + '"');
    return std::nullopt;
  }
  IncidentRecord incident = incident_at(row, *kind);
  if (checksum_of(incident) == row.word(6)) return incident;
  on_damage("incident " + std::to_string(incident.id) + " of arena " + incident.arena.text() + ": checksum");
  return std::nullopt;
}

std::optional<QuarantineRecord> believed_quarantined(const Row& row, const OnDamage& on_damage) {
  QuarantineRecord entry{.id = row.word(0),
                         .arena = row.arena(1),
                         .channel = {row.word(2)},
                         .sequence = row.word(3),
                         .seat = static_cast<uint32_t>(row.number(4)),
                         .player = row.bytes(5),
                         .type = row.word(6),
                         .frame = {row.word(7)},
                         .at_unix_ms = row.number(8),
                         .incident = row.word(9),
                         .bytes = row.bytes(11)};
  if (checksum_of(entry) == row.word(10)) return entry;
  on_damage("event " + std::to_string(entry.id) + " in quarantine, of arena " + entry.arena.text() + ": checksum");
  return std::nullopt;
}

// A negative limit would be none.
int64_t limit_of(size_t newest) {
  return static_cast<int64_t>(std::min<uint64_t>(newest, std::numeric_limits<int64_t>::max()));
}

}  // namespace

int IncidentTables::prepare(sqlite3* db) {
  const std::string incidents = "SELECT id, arena, epoch, frame, kind, at_unix_ms, checksum, report FROM incidents ";
  const std::string quarantine =
      "SELECT id, arena, channel, sequence, seat, player, type, frame, at_unix_ms, incident, checksum, bytes FROM quarantine ";
  const std::string newest_first = " ORDER BY id DESC";
  // With no more rows than may stay the inner select is NULL, and nothing is older than NULL.
  const auto prune = [](const std::string& which) {
    const std::string from = " FROM incidents WHERE arena = ?1 AND kind " + which;
    return "DELETE" + from + " AND id <= (SELECT id" + from + " ORDER BY id DESC LIMIT 1 OFFSET ?2)";
  };
  // The table too, should the counter have been lost.
  const auto latest = [](const std::string& counter, const std::string& table) {
    return "SELECT max(ifnull((SELECT value FROM counters WHERE name = '" + counter + "'), 0), ifnull((SELECT max(id) FROM " +
           table + "), 0))";
  };
  struct Text {
    sqlite::Statement* statement;
    std::string sql;
  };
  const Text texts[] = {
      {&recount_incidents_,
       "INSERT INTO counters (name, value) VALUES ('incidents', (SELECT count(*) FROM incidents))"
       " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value"},
      {&write_incident_,
       "INSERT OR IGNORE INTO incidents (id, arena, epoch, frame, kind, at_unix_ms, checksum, report)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
      {&complete_incident_,
       "UPDATE incidents SET checksum = ?6, report = ?7"
       " WHERE id = ?1 AND arena = ?2 AND epoch = ?3 AND frame = ?4 AND kind = ?5 AND at_unix_ms = ?8"},
      // changes() are the rows of the statement before.
      {&count_written_, "UPDATE counters SET value = value + changes() WHERE name = 'incidents'"},
      {&prune_deaths_, prune("<> 'slow'")},
      {&prune_slow_, prune("= 'slow'")},
      // A negative limit would be none.
      {&prune_all_,
       "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents ORDER BY id"
       " LIMIT max(0, ifnull((SELECT value FROM counters WHERE name = 'incidents'), 0) - ?1))"},
      {&count_pruned_, "UPDATE counters SET value = value - changes() WHERE name = 'incidents'"},
      {&forget_quarantine_, "DELETE FROM quarantine WHERE arena = ?1"},
      {&unquarantine_, "DELETE FROM quarantine WHERE id = ?1"},
      {&write_quarantined_,
       "INSERT OR IGNORE INTO quarantine (id, arena, channel, sequence, seat, player, type, frame, at_unix_ms, incident,"
       " checksum, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
      {&use_up_id_,
       "INSERT INTO counters (name, value) VALUES (?1, ?2)"
       " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value < excluded.value"},
      {&read_incidents_, incidents + newest_first + " LIMIT ?1"},
      {&read_deaths_, incidents + "WHERE kind <> 'slow'" + newest_first + " LIMIT ?1"},
      {&read_incidents_of_arena_, incidents + "WHERE arena = ?2" + newest_first + " LIMIT ?1"},
      {&read_deaths_of_arena_, incidents + "WHERE arena = ?2 AND kind <> 'slow'" + newest_first + " LIMIT ?1"},
      {&read_slow_frames_, incidents + "WHERE kind = 'slow' AND id < ?2" + newest_first + " LIMIT ?1"},
      {&read_incident_, incidents + "WHERE id = ?1"},
      {&read_latest_incident_, latest(kLatestIncident, "incidents")},
      {&read_quarantine_, quarantine + newest_first},
      {&read_quarantine_of_arena_, quarantine + "WHERE arena = ?1" + newest_first},
      {&read_quarantined_, quarantine + "WHERE id = ?1"},
      {&read_latest_quarantined_, latest(kLatestQuarantined, "quarantine")},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db, text.sql.c_str());
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int IncidentTables::count_incidents() {
  return recount_incidents_.run();
}

// ---- Writing ----

int IncidentTables::write(const StoreBatch& batch) {
  int code = write_incidents(batch.incidents);
  for (const IncidentRecord& incident : batch.recovered) {
    if (code == SQLITE_OK) code = complete_incident(incident);
  }
  return code == SQLITE_OK ? write_quarantine(batch) : code;
}

int IncidentTables::complete_incident(const IncidentRecord& incident) {
  return complete_incident_.run(to_column(incident.id), incident.arena, to_column(incident.epoch.value),
                                to_column(incident.frame.value), std::string(to_string(incident.kind)),
                                to_column(checksum_of(incident)), Blob{incident.report}, incident.at_unix_ms);
}

int IncidentTables::write_incidents(const std::vector<IncidentRecord>& incidents) {
  if (incidents.empty()) return SQLITE_OK;
  int code = SQLITE_OK;
  std::set<ArenaId> arenas;
  uint64_t latest = 0;
  for (const IncidentRecord& incident : incidents) {
    if (code == SQLITE_OK) code = write_incident(incident);
    arenas.insert(incident.arena);
    latest = std::max(latest, incident.id);
  }
  for (const ArenaId arena : arenas) {
    if (code == SQLITE_OK) code = prune_incidents(arena);
  }
  if (code == SQLITE_OK) code = prune_all_.run(to_column(limits::kMaxIncidents));
  if (code == SQLITE_OK) code = count_pruned_.run();
  if (code == SQLITE_OK) code = use_up_id_.run(kLatestIncident, to_column(latest));
  return code;
}

int IncidentTables::write_incident(const IncidentRecord& incident) {
  const int code = write_incident_.run(to_column(incident.id), incident.arena, to_column(incident.epoch.value),
                                       to_column(incident.frame.value), std::string(to_string(incident.kind)),
                                       incident.at_unix_ms, to_column(checksum_of(incident)), Blob{incident.report});
  return code == SQLITE_OK ? count_written_.run() : code;
}

int IncidentTables::prune_incidents(ArenaId arena) {
  int code = prune_deaths_.run(arena, to_column(limits::kMaxDeathsOfArena));
  if (code == SQLITE_OK) code = count_pruned_.run();
  if (code == SQLITE_OK) code = prune_slow_.run(arena, to_column(limits::kMaxSlowOfArena));
  if (code == SQLITE_OK) code = count_pruned_.run();
  return code;
}

int IncidentTables::write_quarantine(const StoreBatch& batch) {
  int code = SQLITE_OK;
  for (const ArenaId arena : batch.forgotten) {
    if (code == SQLITE_OK) code = forget_quarantine_.run(arena);
  }
  for (const uint64_t id : batch.unquarantined) {
    if (code == SQLITE_OK) code = unquarantine_.run(to_column(id));
  }
  if (batch.quarantined.empty()) return code;
  const std::set<uint64_t> gone(batch.unquarantined.begin(), batch.unquarantined.end());
  uint64_t latest = 0;
  for (const QuarantineRecord& entry : batch.quarantined) {
    if (code == SQLITE_OK && !gone.contains(entry.id)) code = write_quarantined(entry);
    latest = std::max(latest, entry.id);
  }
  return code == SQLITE_OK ? use_up_id_.run(kLatestQuarantined, to_column(latest)) : code;
}

int IncidentTables::write_quarantined(const QuarantineRecord& entry) {
  return write_quarantined_.run(to_column(entry.id), entry.arena, to_column(entry.channel.value), to_column(entry.sequence),
                                int64_t{entry.seat}, entry.player, to_column(entry.type), to_column(entry.frame.value),
                                entry.at_unix_ms, to_column(entry.incident), to_column(checksum_of(entry)), Blob{entry.bytes});
}

// ---- Reading ----

int IncidentTables::read_incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest, const OnDamage& on_damage,
                                   std::vector<IncidentRecord>& incidents) {
  const auto keep = [&](const Row& row) {
    if (auto incident = believed_incident(row, on_damage)) incidents.push_back(std::move(*incident));
  };
  const int64_t limit = limit_of(newest);
  switch (scope) {
    case IncidentScope::deaths:
      return arena ? read_deaths_of_arena_.each(keep, limit, *arena) : read_deaths_.each(keep, limit);
    case IncidentScope::deaths_and_slow_frames:
      return arena ? read_incidents_of_arena_.each(keep, limit, *arena) : read_incidents_.each(keep, limit);
  }
  return SQLITE_OK;
}

int IncidentTables::read_slow_frames(uint64_t before, size_t newest, const OnDamage& on_damage,
                                     std::vector<IncidentRecord>& incidents) {
  const auto keep = [&](const Row& row) {
    if (auto incident = believed_incident(row, on_damage)) incidents.push_back(std::move(*incident));
  };
  return read_slow_frames_.each(keep, limit_of(newest), limit_of(before));
}

int IncidentTables::read_incident(uint64_t id, const OnDamage& on_damage, std::optional<IncidentRecord>& incident) {
  return read_incident_.each([&](const Row& row) { incident = believed_incident(row, on_damage); }, to_column(id));
}

int IncidentTables::read_latest_incident(uint64_t& latest) {
  return read_latest_incident_.each([&](const Row& row) { latest = row.word(0); });
}

int IncidentTables::read_quarantine(std::optional<ArenaId> arena, const OnDamage& on_damage,
                                    std::vector<QuarantineRecord>& entries) {
  const auto keep = [&](const Row& row) {
    if (auto entry = believed_quarantined(row, on_damage)) entries.push_back(std::move(*entry));
  };
  return arena ? read_quarantine_of_arena_.each(keep, *arena) : read_quarantine_.each(keep);
}

int IncidentTables::read_quarantined(uint64_t id, const OnDamage& on_damage, std::optional<QuarantineRecord>& entry) {
  return read_quarantined_.each([&](const Row& row) { entry = believed_quarantined(row, on_damage); }, to_column(id));
}

int IncidentTables::read_latest_quarantined(uint64_t& latest) {
  return read_latest_quarantined_.each([&](const Row& row) { latest = row.word(0); });
}

}  // namespace arenad
